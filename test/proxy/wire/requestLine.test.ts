// The request line: versions, methods, and the forms of a target.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHead } from '../../../proxy/wire/head.ts';
import { forward, refusedAs, tunnelled } from './heads.ts';

test('A44: versions but 1.0 and 1.1 are refused', () => {
  for (const version of ['2.0', '0.9', '1.2', '', '1.1 ', '3']) {
    assert.equal(refusedAs(readHead(forward({ version }))), 'bad_request', version);
  }
  for (const version of ['1.0', '1.1']) assert.equal(refusedAs(readHead(forward({ version }))), null, version);
});

test('A46: a method is one of the list, in capitals', () => {
  const foreign = [
    'get',
    'GeT',
    'G=":<>(e),[T]',
    'TRACE',
    'TRACK',
    'SOURCE',
    'DESCRIBE',
    'PURGE',
    '',
    'X'.repeat(9000),
  ];
  for (const method of foreign) {
    assert.equal(refusedAs(readHead(forward({ method }))), 'method_not_allowed', method.slice(0, 20));
  }
  for (const method of 'GET HEAD OPTIONS POST PUT PATCH DELETE QUERY PROPFIND MKCOL MOVE LOCK REPORT'.split(' ')) {
    assert.equal(refusedAs(readHead(forward({ method }))), null, method);
  }
});

test('B35: a CONNECT inside a tunnel is no method', () => {
  assert.equal(refusedAs(readHead(tunnelled({ method: 'CONNECT', target: 'b.test:443' }))), 'method_not_allowed');
  assert.equal(refusedAs(readHead(tunnelled({ method: 'POST' }))), null);
});

test('OPTIONS of a whole server is not implemented, in either form; of a path it is read', () => {
  for (const target of ['*', 'http://api.test']) {
    assert.equal(refusedAs(readHead(forward({ method: 'OPTIONS', target }))), 'not_implemented', target);
  }
  for (const target of ['http://api.test/', 'http://api.test?x']) {
    assert.equal(refusedAs(readHead(forward({ method: 'OPTIONS', target }))), null, target);
  }
  assert.equal(refusedAs(readHead(forward({ method: 'GET', target: '*' }))), 'bad_request');
});

test('B04: user information in a URL is refused', () => {
  for (const target of ['http://good.test@api.test/', 'http://u:p@api.test/', 'http://@api.test/']) {
    assert.equal(refusedAs(readHead(forward({ target }))), 'bad_request', target);
  }
  assert.equal(refusedAs(readHead(forward({ target: 'http://api.test/@me' }))), null);
});

test('B05: a backslash or a missing host is no way to write a URL', () => {
  const targets = [
    'http://good.test\\@api.test/',
    'http://api.test\\/x',
    'http:\\\\api.test/',
    'http:/api.test',
    'http:///api.test/',
  ];
  for (const target of targets) assert.equal(refusedAs(readHead(forward({ target }))), 'bad_request', target);
  assert.equal(refusedAs(readHead(forward({ target: 'http://api.test/a\\b' }))), null);
});

test('B31: schemes but http and https are refused', () => {
  for (const target of [
    'ftp://api.test/',
    'file:///etc/passwd',
    'gopher://api.test/',
    'ws://api.test/',
    'javascript:x',
  ]) {
    assert.equal(refusedAs(readHead(forward({ target }))), 'bad_request', target);
  }
  for (const target of ['http://api.test/', 'HTTPS://api.test/']) {
    assert.equal(refusedAs(readHead(forward({ target }))), null, target);
  }
});

test('A17, C14: a target is visible ASCII without fragment', () => {
  for (const target of ['/a\0', '/a b', '/a\tb', '/caf\u00e9', '/a\x7f', '/a\r\nX: y', '/a?b=c#d', '/#', '', 'foo']) {
    assert.equal(refusedAs(readHead(tunnelled({ target }))), 'bad_request', JSON.stringify(target));
  }
  for (const target of ['/a%20b', '/a|b"{}<>^`', '/a?b=c%23d', '/?']) {
    assert.equal(refusedAs(readHead(tunnelled({ target }))), null, target);
  }
});

test('A35: a target over 8 KiB is too long, one of 8 KiB is not', () => {
  const target = (length: number) => `/${'x'.repeat(length - 1)}`;
  assert.equal(refusedAs(readHead(tunnelled({ target: target(8193) }))), 'target_too_long');
  assert.equal(refusedAs(readHead(tunnelled({ target: target(8192) }))), null);
});
