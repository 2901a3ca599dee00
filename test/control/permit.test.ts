import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMint } from '../../control/permit.ts';

const endpoint = { scheme: 'http', host: 'a.test', port: 80, dial: null, privateAddresses: 'deny' } as const;

test('I2: a permit is spent once, and there is no second time', () => {
  const { mint, spend } = createMint();
  const permit = mint.errand(endpoint);
  spend(permit);
  assert.throws(() => spend(permit), /is spent/);
});

test('I1: what only looks like a permit, or comes from another mint, is none', () => {
  const { mint, spend } = createMint();
  assert.throws(() => spend({ ...mint.errand(endpoint) }), /not minted/);
  assert.throws(() => spend(createMint().mint.errand(endpoint)), /not minted/);
});

test('I2: nothing about a permit can be changed once it is minted', () => {
  const permit = createMint().mint.errand(endpoint);
  assert.throws(() => Object.assign(permit, { endpoint: { ...endpoint, host: 'b.test' } }), TypeError);
  assert.equal(permit.endpoint, endpoint);
});
