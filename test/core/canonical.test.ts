import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeLeaf, type LoggedEvent } from '../../core/audit.ts';
import { canonicalJson, encodeFields, type Field } from '../../core/canonical.ts';

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.uint8Array(),
  fc.maxSafeInteger(),
  fc.constant(null),
);

test('L10: two lists of fields share their bytes only when they are equal', () => {
  fc.assert(
    fc.property(fc.array(field), fc.array(field), (a, b) => {
      const isSame = Buffer.from(encodeFields('x', a)).equals(Buffer.from(encodeFields('x', b)));
      assert.equal(isSame, JSON.stringify(shown(a)) === JSON.stringify(shown(b)));
    }),
    { numRuns: 2_000 },
  );
});

test('L10: what is next to each other cannot be moved across the border, nor null be taken for nothing', () => {
  const pairs: readonly (readonly [readonly Field[], readonly Field[]])[] = [
    [
      ['a', 'bc'],
      ['ab', 'c'],
    ],
    [[null], ['']],
    [[1], ['1']],
    [[''], []],
    [['a'], [Buffer.from('a')]],
  ];
  for (const [a, b] of pairs) assert.notDeepEqual(encodeFields('x', a), encodeFields('x', b));
  assert.notDeepEqual(encodeFields('x', ['a']), encodeFields('y', ['a']));
});

test('a number that is no safe integer has no encoding', () => {
  for (const value of [0.5, Number.NaN, Infinity, 2 ** 53]) assert.throws(() => encodeFields('x', [value]));
});

test('L01: a change of any part of an event changes its leaf', () => {
  const event: LoggedEvent = {
    seq: 7,
    at: 1_000,
    type: 'approved',
    intent: `int_${'1'.repeat(32)}`,
    actor: 'system',
    actorId: null,
    metadata: '{}',
  };
  const changes: readonly Partial<LoggedEvent>[] = [
    { seq: 8 },
    { at: 1_001 },
    { type: 'rejected' },
    { intent: null },
    { actor: 'System' },
    { actorId: `prn_${'1'.repeat(32)}` },
    { metadata: '{ }' },
  ];
  for (const change of changes) assert.notDeepEqual(encodeLeaf({ ...event, ...change }), encodeLeaf(event));
});

test('canonical JSON does not depend on the order in which members were set', () => {
  assert.equal(canonicalJson({ b: [1, { d: null, c: 'é' }], a: true }), '{"a":true,"b":[1,{"c":"é","d":null}]}');
});

function shown(fields: readonly Field[]): unknown {
  return fields.map((value) =>
    value instanceof Uint8Array ? ['bytes', Buffer.from(value).toString('hex')] : [typeof value, text(value)],
  );
}

/** Lone surrogates have no UTF-8: they are all encoded as the replacement character. */
function text(value: string | number | null): unknown {
  return typeof value === 'string' ? value.toWellFormed() : Object.is(value, -0) ? 0 : value;
}
