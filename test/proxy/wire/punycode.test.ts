// Which labels are international names and which only look like one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPunycode } from '../../../proxy/wire/punycode.ts';

test('B23: an international name is read in every script', () => {
  const names = [
    'pi-6kc',
    'mnchen-3ya',
    'strae-oqa',
    'ls8h',
    'ihqwcrb4cv8a8dqg056pqjye',
    '3b-ww4c5e180e575a65lsy2b',
    '80ak6aa92e',
  ];
  for (const label of names) assert.ok(isPunycode(label), label);
});

test('F22: what is not Punycode, or writes what needs none or another label, is no name', () => {
  const broken = ['', 'abc-', 'zzzzzzzz-999', '99999999', 'pi-6k_', 'MNCHEN-3YA'];
  const controls = ['a'];
  const unnormalised = ['mi7c', '7ba'];
  for (const label of [...broken, ...controls, ...unnormalised]) assert.ok(!isPunycode(label), label);
});
