// Every way in which a path may be read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRefusal } from '../../../core/reasons.ts';
import { pathReadings } from '../../../proxy/wire/path.ts';
import { refusedAs } from './heads.ts';

function readings(target: string): readonly string[] {
  const found = pathReadings(target);
  assert.ok(!isRefusal(found), `${target}: ${JSON.stringify(found)}`);
  return found;
}

const disguises: [row: string, targets: string[]][] = [
  ['C01', ['/v1/charges/../refunds', '/v1/./refunds', '/v1/charges/x/../../refunds', '/../v1/refunds', '/v1//refunds']],
  [
    'C02',
    [
      '/v1/charges/%2e%2e/refunds',
      '/v1/charges/.%2e/refunds',
      '/v1/charges/%2E./refunds',
      '/v1/charges%2f..%2frefunds',
    ],
  ],
  ['C04', ['/v1/charges/%252e%252e%252frefunds', '/v1%252frefunds', '/v1/charges/%252e./refunds', '/v1/%2572efunds']],
  ['C05', ['/v1/charges/..;/refunds', '/v1/charges/..;a=b/refunds', '/v1/charges/%2e%2e;x/refunds', '/v1/refunds;v=1']],
  ['C05', ['/v1/charges/..%3ba=b/refunds', '/v1/charges/..%253b/refunds', '/v1;x/refunds;y']],
  [
    'C07',
    ['/v1\\refunds', '/v1/charges\\..\\refunds', '/v1%5crefunds', '/v1%255crefunds', '/v1/charges\\..;x/refunds'],
  ],
  ['C10', ['/v1/%72efunds', '/%76%31/refunds', '/v1/refund%73']],
  [
    'C10',
    [
      '/v1/%EF%BD%92efunds',
      '/v1%EF%BC%8Frefunds',
      '/v1/charges/%EF%BC%8E%EF%BC%8E/refunds',
      '/v1/charges/%E2%80%A5/refunds',
    ],
  ],
  ['C10', ['/v1/%EF%BC%8572efunds', '/v1/refunds%3Fx', '/v1/refunds%23x', '/v1/refunds%253Fx']],
];

for (const [row, targets] of disguises) {
  for (const target of targets) {
    test(`${row}: ${target} may be read as /v1/refunds`, () => {
      assert.ok(readings(target).includes('/v1/refunds'), JSON.stringify(readings(target)));
    });
  }
}

test('C04: a percent sign that decodes no further hides nothing that stands beside it', () => {
  assert.ok(readings('/100%25/%252e%252e/v1/refunds').includes('/v1/refunds'));
  assert.ok(readings('/v1/refunds/%25zz').includes('/v1/refunds/%zz'));
  assert.ok(readings('/v1/charges/%252e%252e/refunds/%25zz').includes('/v1/refunds/%zz'));
});

test('C02: an encoded dot is a dot also where an encoded slash is none', () => {
  assert.ok(readings('/v1/charges/%2e%2E/refunds/a%2Fb').includes('/v1/refunds/a%2Fb'));
});

test('a plain path has one reading', () => {
  for (const path of ['/', '/v1/refunds', '/v1/refunds/', '/v1/re_1/items.json', '/a+b/~c/@d:e', '/a.b/..c/...']) {
    assert.deepEqual(readings(path), [path]);
  }
});

test('C11, C13: encoding that is malformed, not UTF-8 or hides a control character is refused', () => {
  for (const path of ['/%c0%ae%c0%ae', '/%u002e', '/%ff', '/%zz', '/%', '/%2', '/a%e2%82', '/a%ed%a0%80']) {
    assert.equal(refusedAs(pathReadings(path)), 'bad_request', path);
  }
  for (const path of [
    '/a%00',
    '/a%0d%0aX:%20y',
    '/%7f',
    '/%c2%85',
    '/a%2500',
    '/a%250a',
    '/%25c0%25ae',
    '/caf\u00e9',
    '/a b',
  ]) {
    assert.equal(refusedAs(pathReadings(path)), 'bad_request', path);
  }
  for (const path of ['/caf%C3%A9', '/%E2%82%AC', '/a%2Bb', '/caf%25C3%25A9']) {
    assert.equal(refusedAs(pathReadings(path)), null, path);
  }
});

test('C14: the query never changes what the path is', () => {
  for (const query of ['?x=/../refunds', '?%zz', '?a?b', '?%00', '?;x=\\']) {
    assert.deepEqual(readings(`/v1/charges${query}`), ['/v1/charges']);
  }
});

test('C16: honest paths are read, the one as sent first', () => {
  const honest: [string, string[]][] = [
    ['/npm/@sentry%2fbun', ['/npm/@sentry%2fbun', '/npm/@sentry/bun']],
    ['/projects/group%2Fproj/issues', ['/projects/group%2Fproj/issues', '/projects/group/proj/issues']],
    ['/a%20b', ['/a%20b', '/a b']],
    ['/100%25', ['/100%25', '/100%']],
  ];
  for (const [target, expected] of honest) assert.deepEqual(readings(target), expected);
});

test('the path as sent comes first, and no reading comes twice', () => {
  const piece = fc.constantFrom(
    '/',
    '//',
    '..',
    '.',
    '%2e',
    '%252e',
    ';x',
    '\\',
    '%2f',
    '%25',
    'x', // no hexadecimal digit: behind `%25` it must not make up a byte
    'v1',
    '%EF%BC%8F',
    '%3f',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const path = `/${pieces.join('')}`;
      const found = pathReadings(path);
      if (isRefusal(found)) return found.refused === 'ambiguous_path';
      return found[0] === path && new Set(found).size === found.length && found.length <= 64;
    }),
  );
});

test('a path of full length has few readings, or too many to be any', () => {
  const tricks = ['%25252e', '..;/', '/%2e%2e\\', '//', '%EF%B7%BA', ';', '/..', '\\', '%253b%252f', 'a/./'];
  for (const trick of [...tricks, tricks.join('')]) {
    const found = pathReadings(`/${trick.repeat(Math.floor(8191 / trick.length))}`);
    assert.ok(isRefusal(found) ? found.refused === 'ambiguous_path' : found.length <= 64, trick);
  }
});
