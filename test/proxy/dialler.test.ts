import assert from 'node:assert/strict';
import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { after, before, beforeEach, mock, test } from 'node:test';
import tls from 'node:tls';
import { createMint } from '../../control/permit.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { Endpoint } from '../../core/sealed.ts';
import { createDialler, type Dialler } from '../../proxy/forward.ts';
import { recordAnswer } from '../support/answer.ts';
import { certificate, privateKey } from '../support/certificate.ts';
import { until } from '../support/gate.ts';
import { executionId, intentId } from '../support/intents.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

// What would be asked of a resolver and dialled is written down; whatever is dialled leads to the upstream here.
let upstream: Upstream;
const zone = new Map<string, readonly string[]>();
let queries: string[] = [];
let dialled: string[] = [];
let leadingTo = 0;
const leadTo = (port: number) => {
  leadingTo = port;
};

before(async () => {
  upstream = await startUpstream();
  leadTo(upstream.port);
  const connect = net.connect.bind(net);
  mock.method(net, 'connect', (options: { host: string; port: number }) => {
    dialled.push(`${options.host}:${options.port}`);
    return connect({ host: '127.0.0.1', port: leadingTo });
  });
  mock.method(dns, 'lookup', async (host: string) => {
    queries.push(host);
    return (zone.get(host) ?? []).map((address) => ({ address }));
  });
  syncBuiltinESMExports();
});
beforeEach(() => {
  [queries, dialled] = [[], []];
});
after(async () => {
  mock.restoreAll();
  syncBuiltinESMExports();
  await upstream.close();
});

const { mint, spend } = createMint();

function dialler(options: { extraCa?: readonly string[]; ownPorts?: readonly number[] } = {}): Dialler {
  const { extraCa = [], ownPorts = [] } = options;
  return createDialler({ spend, extraCa, ownPorts: () => ownPorts, connectTimeoutMs: 2_000, answerTimeoutMs: 2_000 });
}

function permitFor(endpoint: Partial<Endpoint>) {
  const whole: Endpoint = {
    scheme: 'http',
    host: 'a.test',
    port: 80,
    dial: null,
    privateAddresses: 'deny',
    ...endpoint,
  };
  const place = { endpoint: whole, method: 'GET', target: '/', headers: [], requestId: 'r' };
  return mint.read({ ...place, body: { kind: 'none' } });
}

async function dial(endpoint: Partial<Endpoint>, options: Parameters<typeof dialler>[0] = {}): Promise<Outcome> {
  const own = dialler(options);
  try {
    const answering = { answer: recordAnswer(), gone: new AbortController().signal, annotations: [] };
    return await own.forward(permitFor(endpoint), answering);
  } finally {
    await own.close();
  }
}

const refusedBy = (reason: string, outcome: Outcome) => {
  assert.equal(outcome.sent, 'nothing');
  assert.equal(outcome.sent === 'nothing' && outcome.reason, reason);
};

test('I1: without a permit, or with one that is spent, nothing is dialled', async () => {
  zone.set('a.test', ['93.184.215.14']);
  const own = dialler();
  const answering = { answer: recordAnswer(), gone: new AbortController().signal, annotations: [] };
  const permit = permitFor({});
  assert.throws(() => void own.forward({ ...permit }, answering), /not minted/);
  assert.deepEqual([queries, dialled], [[], []]);
  assert.equal((await own.forward(permit, answering)).sent, 'answered');
  assert.throws(() => void own.forward(permit, answering), /is spent/);
  assert.equal(dialled.length, 1);
  await own.close();
});

test('I8, F03: the address that was judged is the one dialled, after one query', async () => {
  zone.set('a.test', ['93.184.215.14', '93.184.215.15']);
  assert.equal((await dial({})).sent, 'answered');
  assert.deepEqual([queries, dialled], [['a.test'], ['93.184.215.14:80']]);
});

test('I8, F03: a name with one inner address among its addresses is not dialled at all', async () => {
  for (const inner of ['10.0.0.1', '127.0.0.1', '169.254.1.1', '::1', '::ffff:127.0.0.1', '0.0.0.0', '100.64.0.1']) {
    zone.set('a.test', ['93.184.215.14', inner]);
    refusedBy('address_not_allowed', await dial({}));
  }
  assert.deepEqual(dialled, []);
});

test('allow_private lets a private address be dialled', async () => {
  zone.set('a.test', ['10.0.0.1']);
  assert.equal((await dial({ privateAddresses: 'allow' })).sent, 'answered');
  assert.deepEqual(dialled, ['10.0.0.1:80']);
});

test('F04: the metadata services of clouds are never dialled, private addresses allowed or not', async () => {
  for (const privateAddresses of ['deny', 'allow'] as const) {
    for (const address of ['169.254.169.254', '169.254.170.2', 'fd00:ec2::254', '::ffff:169.254.169.254']) {
      zone.set('a.test', [address]);
      refusedBy('address_not_allowed', await dial({ privateAddresses }));
      refusedBy('address_not_allowed', await dial({ host: address, privateAddresses }));
    }
  }
  assert.deepEqual(dialled, []);
});

test('I1, F04: for a name that never leads outside no query is made', async () => {
  for (const host of ['localhost', 'a.localhost', 'metadata.google.internal']) {
    refusedBy('address_not_allowed', await dial({ host }));
  }
  refusedBy('address_not_allowed', await dial({ host: 'metadata.google.internal', privateAddresses: 'allow' }));
  assert.deepEqual([queries, dialled], [[], []]);
});

test('F11: Gate itself is dialled under no name, not even as the operator’s own address', async () => {
  zone.set('gate.test', ['127.0.0.1']);
  const own = { ownPorts: [4001] };
  refusedBy('address_not_allowed', await dial({ host: 'gate.test', port: 4001, privateAddresses: 'allow' }, own));
  refusedBy('address_not_allowed', await dial({ dial: { host: 'gate.test', port: 4001 } }, own));
  refusedBy('address_not_allowed', await dial({ dial: { host: '::1', port: 4001 } }, own));
  assert.deepEqual(dialled, []);
});

test('M16: a write whose client is gone is sent on to its end, a read is let go', async () => {
  const silent = await startUpstream((socket) => void answers.push(() => socket.write(ok)));
  const answers: (() => void)[] = [];
  const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
  const own = dialler();
  const endpoint = { scheme: 'http', host: 'a.test', port: 80, privateAddresses: 'deny' } as const;
  const request = { endpoint: { ...endpoint, dial: { host: '127.0.0.1', port: 80 } }, method: 'POST', target: '/' };
  leadTo(silent.port);
  const body = { kind: 'none' } as const;
  // Of a sealed request the dialler reads where and what alone.
  const sealed = { ...request, headers: [], facts: { body: { bytes: Buffer.from('{}') } } } as never;
  for (const [permit, sent] of [
    [mint.write(sealed, intentId(1), executionId(1)), 'answered'],
    [mint.read({ ...request, method: 'GET', headers: [], requestId: 'r', body }), 'unknown'],
  ] as const) {
    const client = new AbortController();
    const n = silent.requests.length;
    const outcome = own.forward(permit, { answer: recordAnswer(), gone: client.signal, annotations: [] });
    await until(() => silent.requests.length > n);
    client.abort();
    answers.pop()?.();
    assert.equal((await outcome).sent, sent);
  }
  leadTo(upstream.port);
  await own.close();
  await silent.close();
});

test('a name that does not resolve is not sent to', async () => {
  refusedBy('upstream_unreachable', await dial({ host: 'nowhere.test' }));
});

test('an upstream over TLS must prove the name of its entry, whatever address is dialled; else it sees no request', async () => {
  let requests = 0;
  const server = tls.createServer({ cert: certificate, key: privateKey }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => {
      requests++;
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const trusted = { extraCa: [certificate] };
  const https = { scheme: 'https', port: 443, dial: { host: '127.0.0.1', port } } as const;
  refusedBy('upstream_tls', await dial({ ...https, host: 'api.good.test' }));
  refusedBy('upstream_tls', await dial({ ...https, host: 'api.other.test' }, trusted));
  refusedBy('upstream_tls', await dial({ ...https, host: '192.0.2.1' }, trusted));
  assert.equal(requests, 0);
  assert.equal((await dial({ ...https, host: 'api.good.test' }, trusted)).sent, 'answered');
  assert.equal((await dial({ ...https, host: '127.0.0.1' }, trusted)).sent, 'answered');
  assert.equal(requests, 2);
  await new Promise<void>((resolve) => server.close(() => resolve()));
});
