// The header section: sizes, grammar, singletons, look-alike names, Connection, and what is asked of Gate.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Header } from '../../../core/facts.ts';
import { isRefusal } from '../../../core/reasons.ts';
import { readHead } from '../../../proxy/wire/head.ts';
import type { GateHeaders } from '../../../proxy/wire/gateHeaders.ts';
import { forward, refusedAs } from './heads.ts';

const codeOf = (...lines: Header[]) => refusedAs(readHead(forward({}, ...lines)));

function gateOf(...lines: Header[]): GateHeaders {
  const head = readHead(forward({}, ...lines));
  assert.ok(!isRefusal(head), JSON.stringify(head));
  return head.gate;
}

test('A32: more than 200 lines are too many, whatever stands behind them', () => {
  const lines = Array<Header>(2001).fill(['a', 'b']);
  assert.equal(codeOf(...lines, ['Content-Length', '36']), 'headers_too_large');
  assert.equal(codeOf(...lines.slice(0, 200)), 'headers_too_large');
  assert.equal(codeOf(...lines.slice(0, 199)), null);
});

test('A34: a section over 16 KiB is too large, one of 16 KiB is not', () => {
  const host = 'Host: api.test\r\n'.length;
  const filler = (bytes: number): Header => ['X', 'y'.repeat(bytes - host - 'X: \r\n'.length)];
  assert.equal(codeOf(filler(16_385)), 'headers_too_large');
  assert.equal(codeOf(filler(1_000_000)), 'headers_too_large');
  assert.equal(codeOf(filler(16_384)), null);
});

test('A13, A14, A16, A17: no name or value can end its line', () => {
  const spoiled: Header[] = [
    [' X', 'a'],
    ['X ', 'a'],
    ['X:', 'a'],
    ['', 'a'],
    ['X\0', 'a'],
    ['X', 'a\r\n b'],
    ['X', 'a\rb'],
    ['X', 'a\nb'],
    ['X', 'a\0b'],
    ['X', 'a\x7fb'],
    ['X', 'a\u010ab'],
  ];
  for (const line of spoiled) assert.equal(codeOf(line), 'bad_request', JSON.stringify(line));
  assert.equal(codeOf(['X', 'a\tb']), null);
});

test('A50: bytes beyond ASCII stay as they came', () => {
  const line: Header = ['X', '\x85admin\xa0'];
  const head = readHead(forward({}, line));
  assert.ok(!isRefusal(head));
  assert.deepEqual(head.headers.at(-1), line);
});

test('A37: a field of which one counts must not stand there twice, in whatever case', () => {
  const once: Header[] = [
    ['Content-Length', '5'],
    ['Content-Type', 'text/plain'],
    ['Transfer-Encoding', 'chunked'],
    ['Authorization', 'A'],
    ['Proxy-Authorization', 'A'],
    ['Expect', '100-continue'],
    ['Idempotency-Key', 'k'],
    ['X-Gate-Intent-Id', 'int_1'],
    ['X-Gate-Wait', 'true'],
    ['X-Gate-Anything', 'x'],
  ];
  for (const [name, value] of once) {
    assert.equal(codeOf([name, value], [name.toUpperCase(), value]), 'bad_request', name);
    assert.equal(codeOf([name, value]), null, name);
  }
  assert.equal(codeOf(['X-Gate-Wait', 'true'], ['X-Gate-Wait', 'false']), 'bad_request');
  assert.equal(codeOf(['Cookie', 'a=1'], ['Cookie', 'b=2'], ['Accept', 'x'], ['Accept', 'y']), null);
});

test('A19: an underscore must not stand in the name of a field that decides', () => {
  const twins = [
    'Content_Length',
    'Transfer_Encoding',
    'X_Gate_Intent_Id',
    'X-Gate_Wait',
    'x_forwarded_for',
    'X_HTTP_METHOD_OVERRIDE',
  ];
  for (const name of [...twins, 'proxy_authorization', 'Content_Encoding', 'Idempotency_Key']) {
    assert.equal(codeOf([name, '5']), 'bad_request', name);
  }
  for (const name of ['my_header', 'X_Shop', 'X-Request_Id']) assert.equal(codeOf([name, '5']), null, name);
});

test('A38: Connection must not make vanish what was judged', () => {
  const kept = [
    'Host',
    'Content-Type',
    'Authorization',
    'content-length',
    'X-Gate-Agent',
    'Content-Encoding',
    'Cookie',
  ];
  for (const name of [
    ...kept,
    'Transfer-Encoding',
    'Proxy-Authorization',
    'X-HTTP-Method-Override',
    'If-Match',
    'Accept',
    'Content-Language',
  ]) {
    assert.equal(codeOf(['Connection', `close, ${name}`]), 'bad_request', name);
    assert.equal(codeOf(['Connection', 'close'], ['CONNECTION', ` , ${name}`]), 'bad_request', name);
  }
  for (const names of ['close', 'keep-alive', 'close, TE', 'Keep-Alive, Proxy-Connection', 'X-Hop, close', '', ',']) {
    assert.equal(codeOf(['Connection', names]), null, names);
  }
  assert.equal(codeOf(['Connection', 'close; host']), 'bad_request');
});

test('X-Gate-Wait and X-Gate-Replay are exactly true or false', () => {
  for (const name of ['X-Gate-Wait', 'X-Gate-Replay']) {
    for (const value of ['True', '1', 'yes', '', 'true, false', 'true ']) {
      assert.equal(codeOf([name, value]), 'bad_request', `${name}: ${value}`);
    }
    assert.equal(codeOf([name, 'true']), null);
  }
  assert.deepEqual([gateOf(['x-gate-wait', 'true']).wait, gateOf(['X-Gate-Replay', 'true']).replay], ['yes', 'yes']);
  assert.deepEqual([gateOf(['X-Gate-Wait', 'false']).wait, gateOf().replay], ['no', 'unsaid']);
});

test('X-Gate-Distinct is 1 to 128 characters of visible ASCII', () => {
  for (const value of ['', 'a b', 'x'.repeat(129), '\xe9'])
    assert.equal(codeOf(['X-Gate-Distinct', value]), 'bad_request');
  for (const value of ['a', '"2"', 'x'.repeat(128)]) assert.equal(gateOf(['X-Gate-Distinct', value]).distinct, value);
});

test('an intent id is kept as sent, since a malformed one is only an unknown one', () => {
  for (const id of [`int_${'0'.repeat(32)}`, 'int_1', "' or 1=1", '']) {
    assert.equal(gateOf(['X-Gate-Intent-Id', id]).intentId, id);
  }
  assert.equal(gateOf().intentId, null);
});

test('an idempotency key is kept as sent, and an empty one names nothing', () => {
  assert.equal(gateOf(['Idempotency-Key', '"a b"']).idempotencyKey, '"a b"');
  assert.equal(gateOf(['Idempotency-Key', '']).idempotencyKey, null);
  assert.equal(gateOf().idempotencyKey, null);
});

test('whoever sends any X-Gate header knows of Gate', () => {
  assert.equal(gateOf(['x-gate-wait', 'false']).client, 'speaks_gate');
  assert.equal(gateOf(['Idempotency-Key', 'k'], ['X-Gates', 'x']).client, 'unaware');
});
