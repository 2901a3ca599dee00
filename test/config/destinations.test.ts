import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolve, type Place } from '../../config/destinations.ts';
import { readDestinations } from '../../config/destinationsFile.ts';
import { isRefusal } from '../../core/reasons.ts';

const text = `
api.test:
  destination: api.other
  paths:
    /v1/refunds: { destination: api.refund }
"*.wild.test": { destination: wild.any }
deep.wild.test: { destination: wild.deep }
local.test:8443: { destination: local.port }
`;

/** The name of the destination that a place leads to, or why none. */
function leads(place: Partial<Place>, lines = text): string {
  const loaded = readDestinations({ what: 'destinations.yaml', file: 'destinations.yaml', text: lines }, '');
  assert.ok('value' in loaded, 'faults' in loaded ? loaded.faults.join() : '');
  const found = resolve(loaded.value, { scheme: 'http', host: 'api.test', port: 80, target: '/', ...place });
  return isRefusal(found) ? found.refused : found.destination;
}

test('I4: a host that no entry covers is unknown, however near it comes to one that is', () => {
  for (const host of ['other.test', 'xapi.test', 'api.test.evil.test', 'wild.test', 'xwild.test', '127.0.0.1']) {
    assert.equal(leads({ host }), 'destination_unknown', host);
  }
});

test('an entry covers the usual ports, or the one it names', () => {
  assert.equal(leads({ port: 443 }), 'api.other');
  assert.equal(leads({ port: 8080 }), 'destination_unknown');
  assert.equal(leads({ host: 'local.test', port: 8443 }), 'local.port');
  assert.equal(leads({ host: 'local.test', port: 80 }), 'destination_unknown');
});

test('the more specific entry counts', () => {
  assert.equal(leads({ host: 'a.wild.test' }), 'wild.any');
  assert.equal(leads({ host: 'deep.wild.test' }), 'wild.deep');
  assert.equal(leads({ target: '/v1/refunds' }), 'api.refund');
  assert.equal(leads({ target: '/v1/refunds/re_1?x=1' }), 'api.refund');
  assert.equal(leads({ target: '/v1/refundsx' }), 'api.other');
});

test('B12: a path that some server may read as another entry’s is refused', () => {
  for (const target of [
    '/v1/%72efunds',
    '/v1//refunds',
    '/v1/x/../refunds',
    '/v1/x/%2e%2e/refunds',
    '/v1\\refunds',
    '/v1/refunds;x',
    '/v1/refunds%3Fx',
    '/v1/%2572efunds',
  ]) {
    assert.equal(leads({ target }), 'ambiguous_path', target);
  }
});
