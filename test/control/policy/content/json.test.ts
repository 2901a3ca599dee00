// JSON is read exactly and bounded, or refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isJsonFault, jsonLimits, readJson, type JsonNode } from '../../../../control/policy/content/json.ts';

async function faultOf(text: string): Promise<string> {
  const read = await readJson(text);
  return isJsonFault(read) ? read.fault : 'none';
}

function plain(node: JsonNode): unknown {
  switch (node.kind) {
    case 'object':
      return Object.fromEntries([...node.entries].map(([key, value]) => [key, plain(value)]));
    case 'array':
      return node.items.map(plain);
    case 'string':
      return node.text;
    case 'number':
      return Number(node.text);
    case 'true':
      return true;
    case 'false':
      return false;
    case 'null':
      return null;
  }
}

test('what JSON.parse reads is read the same', async () => {
  const isJudged = (text: string) => !/\\u0000|\\ud[89a-f]/i.test(text);
  await fc.assert(
    fc.asyncProperty(fc.json({ stringUnit: 'binary' }), fc.constantFrom(0, 1), async (text, indent) => {
      fc.pre(isJudged(text));
      const spaced = indent === 0 ? text : JSON.stringify(JSON.parse(text), null, indent);
      const read = await readJson(spaced);
      assert.ok(!isJsonFault(read));
      assert.deepEqual(plain(read), JSON.parse(spaced));
    }),
  );
});

test('what JSON.parse refuses is malformed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...'[]{}",:0123-.eEtrufalsn \\u', '\n', '\t', '\0')), async (units) => {
      const text = units.join('');
      let parses = true;
      try {
        JSON.parse(text);
      } catch {
        parses = false;
      }
      if (!parses) assert.notEqual(await faultOf(text), 'none');
    }),
    { numRuns: 2000 },
  );
  for (const text of [
    '',
    ' ',
    '01',
    '+1',
    '1.',
    '.5',
    '0x64',
    '1_0',
    'NaN',
    '[1,]',
    '{"a":1,}',
    "{'a':1}",
    '{a:1}',
    '1 2',
    '"\n"',
    '"\\x41"',
    '[1]//',
    '"\\u12"',
  ]) {
    assert.equal(await faultOf(text), 'malformed', text);
  }
});

test('D17 a key that stands twice is refused, however it is written and however deep', async () => {
  for (const text of [
    '{"amount":10,"amount":9000}',
    '{"amount":10,"\\u0061mount":9000}',
    '[{"a":{"b":1,"b":1}}]',
    '{"__proto__":1,"__proto__":2}',
  ]) {
    assert.equal(await faultOf(text), 'refused', text);
  }
  assert.equal(await faultOf('[{"amount":10},{"amount":9000},{"Amount":1,"amount":2}]'), 'none');
});

test('D19 D29 half of a surrogate pair, an escaped NUL and a byte order mark are refused', async () => {
  for (const text of [
    '"\\ud800"',
    '"\\udc00"',
    '"\\ud800\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '{"\\u0000":1}',
    '\ufeff1',
  ]) {
    assert.equal(await faultOf(text), 'refused', text);
  }
  assert.equal(await faultOf('"\\ud83d\\ude00\\\\u0000"'), 'none');
});

test('D31 depth, keys and values are bounded', async () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  assert.equal(await faultOf(nested(jsonLimits.depth)), 'none');
  for (const depth of [jsonLimits.depth + 1, 1_000, 5_000_000]) assert.equal(await faultOf(nested(depth)), 'refused');
  const keys = (count: number) => `{${Array.from({ length: count }, (_, at) => `"${at}":0`).join(',')}}`;
  assert.equal(await faultOf(keys(jsonLimits.keys)), 'none');
  assert.equal(await faultOf(keys(jsonLimits.keys + 1)), 'refused');
  assert.equal(await faultOf(`[${'0,'.repeat(jsonLimits.values)}0]`), 'refused');
  assert.equal(await faultOf(`[${'9'.repeat(5_000)}]`), 'refused');
  assert.equal(await faultOf('\\u0000'.repeat(1000)), 'malformed');
});

test('D31 a long string is read like a short one, wherever its pieces are cut', async () => {
  for (const unit of ['x', '\\n', '\\u00e9', '\\ud83d\\ude00', '\\\\', '\\\\ud83d', '😀', 'ab\\"']) {
    for (let pad = 0; pad < 14; pad++) {
      const text = `"${'x'.repeat(pad)}${unit.repeat(Math.ceil(40_000 / unit.length))}"`;
      const read = await readJson(text);
      assert.ok(!isJsonFault(read) && read.kind === 'string', unit);
      assert.ok(read.text === JSON.parse(text), `${unit} at ${pad}`);
    }
  }
});

test('D32 numbers stay as they were written', async () => {
  for (const text of ['1e309', '-1e309', '1e-400', '-0', '9007199254740993', '100.000000000000001']) {
    assert.deepEqual(await readJson(text), { kind: 'number', text });
  }
});

test('D34 "__proto__" is a key like any other', async () => {
  const read = await readJson('{"__proto__":{"to":"ok"}}');
  assert.ok(!isJsonFault(read) && read.kind === 'object');
  assert.deepEqual(
    [...read.entries].map(([key]) => key),
    ['__proto__'],
  );
});

test('a full import of ten megabytes is read', async () => {
  const record =
    '{"id":123456,"name":"Ada Lovelace","email":"ada@example.com","city":"London","amount":12.5,"note":"none and some more"},';
  assert.equal(await faultOf(`[${record.repeat(84_000)}{}]`), 'none');
});
