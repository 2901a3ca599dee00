import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolve, type Place } from '../../config/destinations.ts';
import { readDestinations } from '../../config/destinationsFile.ts';
import { isRefusal } from '../../core/reasons.ts';
import type { SealedRequest } from '../../core/sealed.ts';
import { bodyOf, seal } from '../../proxy/seal.ts';
import { agent } from '../support/intents.ts';

const usual: Place = { scheme: 'http', host: 'a.test', port: 80, target: '/v1?a=1' };

function resolved(line: string, place: Place = usual) {
  const loaded = readDestinations({ what: 'destinations.yaml', file: 'destinations.yaml', text: line }, '');
  assert.ok('value' in loaded, 'faults' in loaded ? loaded.faults.join() : '');
  const found = resolve(loaded.value, place);
  assert.ok(!isRefusal(found));
  return found;
}

const entry = '"*.test": { destination: a.b, policy: p, volatile_headers: [X-Volatile] }';

/** A request with parts of it changed; facts hold only what a fingerprint reads. */
function sealed(changes: Partial<SealedRequest> & { body?: string; by?: string } = {}, place: Place = usual) {
  const { body = '{}', by = agent.id, ...rest } = changes;
  const found = resolved(entry, place);
  const facts = { agent: { ...agent, id: by }, body: bodyOf(Buffer.from(body)) };
  const request = {
    endpoint: found.endpoint,
    schemeAsSent: 'http',
    portAsSent: 80,
    method: 'POST',
    target: usual.target,
    headers: [
      ['Content-Type', 'application/json'],
      ['X-Volatile', '1'],
      ['User-Agent', 'a/1'],
      ['Idempotency-Key', 'k'],
    ],
    idempotencyKey: null,
    distinctBy: null,
    singleFlight: 'shared',
  } as const;
  return seal({ ...request, ...rest, facts: facts as never }, found).fingerprint;
}

const headers = (...lines: [string, string][]) => sealed({ headers: lines });

test('E01, E02: a change of any part of a request makes it another one', () => {
  const others = [
    sealed({ by: `agt_${'c'.repeat(32)}` }),
    sealed({ schemeAsSent: 'https' }),
    sealed({}, { ...usual, scheme: 'https', port: 443 }),
    sealed({}, { ...usual, host: 'b.test' }),
    sealed({}, { ...usual, port: 443 }),
    sealed({ method: 'PUT' }),
    sealed({ target: '/v1?a=2' }),
    sealed({ body: '{} ' }),
    headers(),
    headers(['Content-Type', 'application/xml']),
    headers(['content-type', 'application/json']),
    headers(['Content-Type', 'application/json'], ['Prefer', 'x']),
    headers(['Content-Type', 'application/json'], ['Content-Type', 'application/json']),
  ];
  assert.equal(new Set([sealed(), ...others]).size, others.length + 1);
});

test('what differs between two sendings of one request does not make it another one', () => {
  const plain = headers(['Content-Type', 'application/json']);
  assert.equal(sealed(), plain);
  assert.equal(headers(['Content-Type', 'application/json'], ['traceparent', '00-1'], ['idempotency-key', 'j']), plain);
});

test('an approval is for the destination as it was configured: any change of where it leads is another binding', () => {
  const lines = [
    'a.test: { destination: a.b, policy: p }',
    'a.test: { destination: a.c, policy: p }',
    'a.test: { destination: a.b, policy: p, dial: "127.0.0.1:80" }',
    'a.test: { destination: a.b, policy: p, dial: "127.0.0.1:81" }',
    'a.test: { destination: a.b, policy: p, scheme: https }',
    'a.test: { destination: a.b, policy: p, allow_private: true }',
    'a.test: { destination: a.b, policy: p, volatile_headers: [X-Amount] }',
  ];
  const facts = { agent, body: bodyOf(Buffer.from('')) } as never;
  const bindings = lines.map((line) => {
    const found = resolved(line);
    const { endpoint } = found;
    const request = { facts, endpoint, schemeAsSent: 'http', portAsSent: 80, method: 'POST', target: '/' } as const;
    const rest = { headers: [], idempotencyKey: null, distinctBy: null, singleFlight: 'shared' } as const;
    return seal({ ...request, ...rest }, found).bindingDigest;
  });
  assert.equal(new Set(bindings).size, lines.length);
});
