// Field checks see what the receiver will see, in every reading of the body.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareDecimals, readDecimal } from '../../../../control/policy/content/decimal.ts';
import { compilePath } from '../../../../control/policy/content/fieldPath.ts';
import { countRecords } from '../../../../control/policy/content/records.ts';
import { checkField, compileFieldCheck } from '../../../../control/policy/rules/fieldChecks.ts';
import type { FieldCheckLine } from '../../../../control/policy/policy.ts';
import { json, readable, type Sent } from './bodies.ts';

const line: FieldCheckLine = {
  path: 'amount',
  required: false,
  min: null,
  max: null,
  maxLength: null,
  pattern: null,
  oneOf: null,
  action: 'block',
};

async function fails(check: Partial<FieldCheckLine>, body: unknown, sent: Sent = json): Promise<string | null> {
  const compiled = compileFieldCheck({ ...line, ...check });
  if ('fault' in compiled) assert.fail(compiled.fault);
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return checkField(compiled, await readable(text, sent))?.rule ?? null;
}

const form = { type: 'application/x-www-form-urlencoded' };

test('an absent field fails only "required"', async () => {
  assert.equal(await fails({ min: 1, max: 2, pattern: 'x', oneOf: ['x'], maxLength: 1 }, {}), null);
  assert.equal(await fails({ required: true }, {}), 'required');
  assert.equal(await fails({ required: true }, { amount: null }), 'required');
  assert.equal(await fails({ required: true }, { amount: 0 }), null);
  assert.equal(await fails({ required: true }, 'hello', { type: 'text/plain' }), 'required');
});

test('D32 numbers and numeric strings compare exactly, and nothing else is a number', async () => {
  const range = { min: 1, max: 100 };
  for (const amount of ['1', '100', '100.0', '1e2', '99.99999999999999999999', '"50"', '0.01E4']) {
    assert.equal(await fails(range, `{"amount":${amount}}`), null, amount);
  }
  for (const amount of ['100.000000000000001', '1e309', '9007199254740993', '"100.01"', '1.0000000001e2']) {
    assert.equal(await fails(range, `{"amount":${amount}}`), 'max', amount);
  }
  for (const amount of ['0', '-0', '1e-400', '-1e309', '0.99999999999999999999']) {
    assert.equal(await fails(range, `{"amount":${amount}}`), 'min', amount);
  }
  for (const amount of [
    '"0x32"',
    '"1_0"',
    '"50."',
    '"NaN"',
    '" 50"',
    '"+50"',
    '"007"',
    '[50]',
    '{"$numberLong":"50"}',
    'true',
    '""',
  ]) {
    assert.equal(await fails(range, `{"amount":${amount}}`), 'min', amount);
  }
  assert.equal(await fails({ max: 9007199254740992 }, '{"amount":9007199254740993}'), 'max');
});

test('decimals order as numbers do', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(number, number, (a, b) => {
      const [left, right] = [readDecimal(String(a)), readDecimal(String(b))];
      assert.ok(left !== null && right !== null);
      assert.equal(Math.sign(compareDecimals(left, right)), Math.sign(a - b === 0 ? 0 : a < b ? -1 : 1));
    }),
  );
  assert.equal(readDecimal('1e1000000'), null);
});

test('D17 D34 a key in another case is judged as well and does not stand in for the key', async () => {
  assert.equal(await fails({ max: 100 }, { amount: 10, Amount: 9000 }), 'max');
  assert.equal(await fails({ max: 100 }, { AMOUNT: 9000 }), 'max');
  assert.equal(await fails({ max: 100 }, { ａmount: 9000 }), 'max');
  assert.equal(await fails({ required: true }, { Amount: 5 }), 'required');
  assert.equal(await fails({ max: 100 }, { amounts: 9000, amount: 5 }), null);
});

test('D34 a path reaches own keys alone and every element', async () => {
  const to = { path: 'to', required: true, pattern: 'ok' };
  assert.equal(await fails(to, '{"__proto__":{"to":"ok"}}'), 'required');
  assert.equal(await fails(to, '{"constructor":{"prototype":{"to":"ok"}}}'), 'required');
  assert.equal(await fails({ ...to, path: 'to.domain' }, { 'to.domain': 'ok' }), 'required');
  assert.equal(await fails({ ...to, path: 'constructor' }, {}), 'required');
  assert.equal(await fails(to, { to: ['ok', 'evil'] }), 'pattern');
  assert.equal(await fails({ ...to, path: 'to[*]' }, { to: ['ok', 'evil'] }), 'pattern');
  assert.equal(await fails({ ...to, path: 'to[*]' }, { to: ['ok', 'ok'] }), null);
  assert.equal(await fails({ ...to, path: 'to[*]' }, { to: 'evil' }), 'pattern');
  assert.equal(await fails({ ...to, path: 'to[*]' }, { to: [] }), 'required');
  const mail = { ...to, path: 'personalizations[*].to[*].email' };
  assert.equal(
    await fails(mail, { personalizations: [{ to: [{ email: 'ok' }] }, { to: [{ email: 'evil' }] }] }),
    'pattern',
  );
  assert.equal(await fails(mail, { personalizations: [{ to: [{ email: 'ok' }] }, {}] }), 'required');
  assert.equal(await fails(mail, { personalizations: [{ to: [{ email: 'ok' }] }] }), null);
  assert.equal(await fails({ max: 100 }, [{ amount: 5 }, { amount: 9000 }]), 'max');
  assert.equal(await fails({ path: 'a[1].b', max: 1 }, { a: [{ b: 5 }, { b: 5 }] }), 'max');
});

test('D47 a pattern is of the whole value, on one line and in this case', async () => {
  const check = { path: 'host', pattern: 'example\\.com' };
  const others = [
    'example.com.evil',
    'xexample.com',
    'Example.com',
    'example.com\n',
    'example.com\u2028',
    'exampleXcom',
  ];
  for (const host of [...others, '\u0001example.com']) {
    assert.equal(await fails(check, { host }), 'pattern', JSON.stringify(host));
  }
  assert.equal(await fails(check, { host: 'example.com' }), null);
  assert.equal(await fails({ ...check, pattern: '[^x]*' }, { host: 'a\tb' }), 'pattern');
  assert.equal(await fails({ ...check, pattern: 'a|b' }, { host: 'ab' }), 'pattern');
});

test('D46 the documented e-mail pattern answers for 200 KB', async () => {
  const check = { path: 'to', pattern: '^[^@]+@[^@]+\\.[^@]+$' };
  assert.equal(await fails(check, { to: 'ada@example.com' }), null);
  for (const to of ['a'.repeat(200_000), '@'.repeat(200_000), `a@${'b.'.repeat(100_000)}@`]) {
    assert.equal(await fails(check, { to }), 'pattern');
  }
  assert.equal(await fails(check, { to: `a@${'b.'.repeat(100_000)}c` }), null);
  assert.equal(await fails({ ...check, pattern: '(a*)*b' }, { to: 'a'.repeat(100_000) }), 'pattern');
});

test('lengths are in characters and listed values match whole', async () => {
  assert.equal(await fails({ maxLength: 3 }, { amount: '😀😀😀' }), null);
  assert.equal(await fails({ maxLength: 3 }, { amount: '😀😀😀x' }), 'max_length');
  assert.equal(await fails({ maxLength: 3 }, { amount: ['x'] }), 'max_length');
  assert.equal(await fails({ oneOf: ['USD', '5'] }, { amount: 'USD' }), null);
  assert.equal(await fails({ oneOf: ['USD', '5'] }, { amount: 5.0 }), null);
  assert.equal(await fails({ oneOf: ['USD'] }, { amount: 'usd' }), 'one_of');
});

test('forms and multipart bodies have fields too, and each of a repeated name is judged', async () => {
  assert.equal(await fails({ max: 100 }, 'amount=9000', form), 'max');
  assert.equal(await fails({ max: 100 }, 'amount=10&amount=9000', form), 'max');
  assert.equal(await fails({ max: 100 }, 'Amount=9000', form), 'max');
  assert.equal(await fails({ max: 100, required: true }, 'amount=99', form), null);
  assert.equal(
    await fails({ path: 'items[*].amount', max: 100 }, 'items[0][amount]=1&items[1][amount]=900', form),
    'max',
  );
  assert.equal(await fails({ path: 'items[*].amount', max: 100, required: true }, 'items[0][amount]=1', form), null);
  const part = '--b\r\nContent-Disposition: form-data; name="amount"\r\n\r\n9000\r\n--b--';
  assert.equal(await fails({ max: 100 }, part, { type: 'multipart/form-data; boundary=b' }), 'max');
  assert.equal(await fails({ max: 9000, required: true }, part, { type: 'multipart/form-data; boundary=b' }), null);
});

test('D35 of two readings the stricter decides', async () => {
  assert.equal(await fails({ max: 100 }, '{"amount":9000}', form), 'max');
  assert.equal(await fails({ max: 100 }, '{"amount":9}', form), null);
  assert.equal(await fails({ required: true }, '{"amount":9}', form), 'required');
});

test('a path or pattern with a fault is refused when the policy is loaded', () => {
  for (const path of ['', '.', '.a', 'a.', 'a..b', 'a[', 'a[]', 'a[-1]', 'a[01]', 'a b', 'a.[0]']) {
    assert.ok('fault' in compilePath(path), path);
  }
  for (const path of ['a', 'a.b[0].c', '[*].a', 'a[0][1]', 'x-y_z$', 'größe'])
    assert.ok('steps' in compilePath(path), path);
  for (const pattern of ['(', '(?=a)', '(a)\\1'])
    assert.ok('fault' in compileFieldCheck({ ...line, pattern }), pattern);
});

test('D43 records are counted from the payload', async () => {
  const count = async (path: string, body: unknown, sent: Sent = json) => {
    const compiled = compilePath(path);
    if ('fault' in compiled) assert.fail(compiled.fault);
    return countRecords(await readable(typeof body === 'string' ? body : JSON.stringify(body), sent), compiled);
  };
  assert.equal(await count('contacts', { contacts: [1, 2, 3] }), 3);
  assert.equal(await count('contacts.length', { contacts: [1, 2, 3] }), 3);
  assert.equal(await count('contacts', { contacts: [] }), 0);
  assert.equal(await count('count', { count: 7 }), 7);
  assert.equal(await count('count', { count: '7' }), 7);
  assert.equal(await count('box.length', { box: { length: 4 } }), 4);
  assert.equal(await count('count', 'count=12', form), 12);
  assert.equal(await count('a[*].rows', { a: [{ rows: [1] }, { rows: [2, 3] }] }), 3);
  for (const value of [-1, 1.5, '1e3', '07', 'x', null, true, { a: 1 }, 1e300]) {
    assert.equal(await count('count', { count: value }), null, JSON.stringify(value));
  }
  assert.equal(await count('count', {}), null);
  assert.equal(await count('count', { count: 1, Count: 10_000 }), null);
  assert.equal(await count('count', '{"count":1}', form), null);
});
