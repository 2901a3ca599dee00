// How a body is delimited, and every way in which two parsers could see two bodies.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Header } from '../../../core/facts.ts';
import { isRefusal } from '../../../core/reasons.ts';
import { carriesBody, readFraming } from '../../../proxy/wire/framing.ts';
import { readHead } from '../../../proxy/wire/head.ts';
import { forward, refusedAs } from './heads.ts';

const codeOf = (...lines: Header[]) => refusedAs(readHead(forward({}, ...lines)));

test('A01: Content-Length beside Transfer-Encoding is refused in either order', () => {
  const length: Header = ['Content-Length', '3'];
  const coding: Header = ['Transfer-Encoding', 'chunked'];
  assert.equal(codeOf(length, coding), 'bad_request');
  assert.equal(codeOf(coding, length), 'bad_request');
  assert.equal(codeOf(length), null);
  assert.equal(codeOf(coding), null);
});

test('A02: two Content-Lengths are refused, equal or not', () => {
  for (const second of ['5', '6']) {
    assert.equal(codeOf(['Content-Length', '5'], ['content-length', second]), 'bad_request', second);
    assert.equal(
      refusedAs(
        readFraming('1.1', [
          ['Content-Length', '5'],
          ['content-length', second],
        ]),
      ),
      'bad_request',
    );
  }
});

test('A04, A05: a Content-Length is one plain decimal number', () => {
  const spoiled = [
    '5, 5',
    '+5',
    '-5',
    '0x5',
    '5_0',
    '1e1',
    '5;',
    '"5"',
    '5 5',
    '',
    '\t5',
    '5 ',
    '05',
    '00',
    '5.0',
    'NaN',
  ];
  const foreign = ['\xd9\xa5', 'Infinity', '9'.repeat(16), '1'.repeat(17), '1'.repeat(400)];
  for (const value of [...spoiled, ...foreign]) assert.equal(codeOf(['Content-Length', value]), 'bad_request', value);
  for (const value of ['0', '5', '10', String(Number.MAX_SAFE_INTEGER)]) {
    assert.deepEqual(readFraming('1.1', [['Content-Length', value]]), { kind: 'length', bytes: Number(value) });
  }
});

test('A05: every length that is accepted is written back as it came', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.nat().map(String), fc.stringMatching(/^[0-9 +,.x-]{0,20}$/)), (value) => {
      const framing = readFraming('1.1', [['Content-Length', value]]);
      return isRefusal(framing) || (framing.kind === 'length' && String(framing.bytes) === value);
    }),
  );
});

test('A07: a further transfer coding is not implemented', () => {
  assert.equal(codeOf(['Transfer-Encoding', 'gzip, chunked']), 'not_implemented');
  assert.equal(codeOf(['Transfer-Encoding', 'chunked']), null);
});

test('A08, A10: anything but chunked once is refused', () => {
  const values = [
    ',chunked',
    'chunked,',
    'chunked, chunked',
    'chunked, identity',
    'identity',
    'xchunked',
    'chunked;q=1',
    '',
    'gzip',
  ];
  for (const value of [...values, '"chunked"', 'chunked\t', '\x0bchunked']) {
    assert.equal(codeOf(['Transfer-Encoding', value]), 'bad_request', value);
  }
  assert.equal(codeOf(['Transfer-Encoding', 'chunked'], ['Transfer-Encoding', 'chunked']), 'bad_request');
  assert.equal(codeOf(['Transfer-Encoding', 'chunked'], ['Transfer-Encoding', 'identity']), 'bad_request');
  assert.deepEqual(readFraming('1.1', [['transfer-encoding', 'Chunked']]), { kind: 'chunked' });
});

test('A11: HTTP/1.0 has no Transfer-Encoding', () => {
  const line: Header = ['Transfer-Encoding', 'chunked'];
  assert.equal(refusedAs(readHead(forward({ version: '1.0' }, line))), 'bad_request');
  assert.equal(refusedAs(readHead(forward({ version: '1.0' }, ['Content-Length', '5']))), null);
  assert.equal(refusedAs(readHead(forward({}, line))), null);
});

test('A28, A29: any method may have a body, and it is told', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'POST']) {
    const head = readHead(forward({ method }, ['Transfer-Encoding', 'chunked']));
    assert.ok(!isRefusal(head) && carriesBody(head.framing), method);
  }
  assert.ok(!carriesBody({ kind: 'length', bytes: 0 }) && !carriesBody({ kind: 'none' }));
});
