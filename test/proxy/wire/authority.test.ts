// One spelling per host, and no spelling that a resolver could read as another host.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isRefusal } from '../../../core/reasons.ts';
import { readAuthority, readHost } from '../../../proxy/wire/authority.ts';
import { readConnect } from '../../../proxy/wire/connect.ts';
import { connect, refusedAs } from './heads.ts';

const label = fc.stringMatching(/^[a-z]([a-z0-9_-]{0,20}[a-z0-9])?$/).filter((text) => !text.startsWith('xn--'));
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));
const port = fc.integer({ min: 1, max: 65_535 });

function refuses(text: string) {
  assert.equal(refusedAs(readHost(text)), 'bad_request', JSON.stringify(text));
}

test('B22: a host is the same in any case', () => {
  assert.deepEqual(readHost('API.Stripe.COM'), { host: 'api.stripe.com', port: null });
  fc.assert(fc.property(name, (host) => assert.deepEqual(readHost(host.toUpperCase()), { host, port: null })));
});

test('a valid host and port are read back as they were written', () => {
  fc.assert(
    fc.property(name, port, (host, number) => assert.deepEqual(readHost(`${host}:${number}`), { host, port: number })),
  );
  fc.assert(fc.property(fc.ipV4(), (host) => assert.deepEqual(readHost(host), { host, port: null })));
});

test('what is read is read the same again, and never holds anything but a host', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.domain(), fc.ipV6(), fc.stringMatching(/^[0-9a-fxA-F.:[\]@%_-]{1,30}$/)),
      (text) => {
        const read = readHost(text);
        if (isRefusal(read)) return;
        assert.match(read.host, /^[a-z0-9._-]+$|^[0-9a-f:]+$/);
        const again = readHost(read.host.includes(':') ? `[${read.host}]` : read.host);
        assert.deepEqual(again, { host: read.host, port: null });
      },
    ),
  );
});

test('a port that is not written is the usual one of the scheme', () => {
  assert.deepEqual(readAuthority('a.test', 'https'), { host: 'a.test', port: 443 });
  assert.deepEqual(readAuthority('a.test', 'http'), { host: 'a.test', port: 80 });
  assert.deepEqual(readAuthority('a.test:8443', 'http'), { host: 'a.test', port: 8443 });
});

test('B20, B25: a host is plain ASCII, nothing encoded, nothing besides', () => {
  const spoiled = [
    'evil\0.good.test',
    'evil%00.good.test',
    'api%2eexample.com',
    'a\tb',
    'a\x01',
    'caf\u00e9.test',
    'a b',
  ];
  const others = [
    'a/b?c',
    'a, b',
    'a;b',
    'a\\b',
    'u@evil',
    '@a',
    '\uff41.test',
    'a\u3002test',
    '*',
    '*.test',
    '',
    ':80',
  ];
  for (const text of [...spoiled, ...others]) refuses(text);
  assert.equal(refusedAs(readHost('api.example.com')), null);
});

test('F22: labels are neither empty nor too long nor frayed at their ends', () => {
  const long = 'x'.repeat(63);
  const spoiled = ['a..b', '.a', 'a.', '-a', 'a-', '_a', 'a_', 'a.-b.c', `${long}x`, `${long}.${long}.${long}.${long}`];
  for (const text of spoiled) refuses(text);
  for (const text of [
    'a',
    'a.b',
    'a-b',
    'my_bucket.s3.test',
    '3.a',
    `${long}.${long}.${long}.${'x'.repeat(61)}`,
    'r3---sn.test',
  ]) {
    assert.equal(refusedAs(readHost(text)), null, text);
  }
});

test('B23, F22: an international name is another host, and must be valid Punycode', () => {
  for (const text of [
    'xn--pi-6kc.example.com',
    'xn--mnchen-3ya.de',
    'xn--ls8h.la',
    'xn--egbpdaj6bu4bxfgehfvwxn.test',
  ]) {
    assert.equal(refusedAs(readHost(text)), null, text);
  }
  for (const text of ['xn--', 'xn--a', 'xn--abc-.test', 'xn--zzzzzzzz-999.test', 'a.xn--99999999', 'xn--80ak6aa92e_'])
    refuses(text);
});

test('B04: what is wrong with a host is said, by the first rule that it breaks', () => {
  const rules = [
    ['user:secret@a.test', 'user information'],
    ['caf\u00e9.test', 'ASCII letters'],
    ['a..test', 'empty label'],
    ['-a.test', 'begins or ends'],
    ['0x7f.1', 'four decimal numbers'],
    ['[::1%lo]', 'the brackets'],
  ] as const;
  for (const [host, words] of rules) {
    const read = readHost(host);
    assert.ok(isRefusal(read) && read.message.includes(words), `${host}: ${JSON.stringify(read)}`);
    assert.ok(!read.message.includes('secret'));
  }
});

test('B19: white space that a URL parser drops is no part of an address', () => {
  for (const host of ['[::\t1]', '[::1\n]', '[\r::1]']) refuses(host);
});

test('F02: a numeric host has four decimal numbers or is none', () => {
  const loopback = [
    '127.1',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0',
    '0x7f.1',
    '0X7F.1',
  ];
  const others = [
    '2852039166',
    '0xa9fea9fe',
    '1.2.3.4.5',
    '256.256.256.256',
    '08.8.8.8',
    '999999999999',
    '1.2.3',
    '0x',
    'a.0x1f',
    'a.5',
  ];
  for (const text of [...loopback, ...others, '①②⑦.⓪.⓪.①', '127。0。0。1', '１２７.0.0.1']) refuses(text);
  for (const text of ['127.0.0.1', '8.8.8.8', '0.0.0.0', '255.255.255.255', '1.2.3.4.test', '0x7f.test']) {
    assert.deepEqual(readHost(text), { host: text, port: null });
  }
});

test('an IPv6 address has one spelling', () => {
  const spellings: [string, string][] = [
    ['[::1]', '::1'],
    ['[0:0:0:0:0:0:0:1]', '::1'],
    ['[2001:DB8::0:1]', '2001:db8::1'],
    ['[::ffff:127.0.0.1]', '::ffff:7f00:1'],
  ];
  for (const [text, host] of spellings) {
    assert.deepEqual(readHost(text), { host, port: null });
    assert.deepEqual(readHost(`${text}:8443`), { host, port: 8443 });
  }
  for (const text of [
    '::1',
    '[::1',
    '::1]',
    '[]',
    '[::1]x',
    '[[::1]]',
    '[::ffff:0177.0.0.1]',
    '[1.2.3.4]',
    '[v1.a]',
    '[a]',
  ])
    refuses(text);
});

test('B19: an address with a zone is refused', () => {
  for (const text of ['[fe80::1%25eth0]:443', '[::1%lo]:443', '[fe80::1%eth0]']) refuses(text);
  assert.equal(refusedAs(readHost('[fe80::1]:443')), null);
});

test('B16, F13: a CONNECT names a valid port', () => {
  const ports = [
    '',
    ':',
    ':0',
    ':65536',
    ':+443',
    ':443x',
    ':0443',
    ': 443',
    ':-1',
    ':4 43',
    ':99999',
    ':443:443',
    ':0x1bb',
    ':443.',
  ];
  for (const text of ports)
    assert.equal(refusedAs(readConnect(connect(`a.test${text}`, [['Host', 'a.test']]))), 'bad_request', text);
  for (const number of [1, 443, 65535]) {
    assert.deepEqual(readConnect(connect(`A.test:${number}`)), { host: 'a.test', port: number });
  }
});

test('B17: a CONNECT names a host and a port and nothing else', () => {
  for (const text of ['http://a:443/', 'a:443/x', 'u@a:443', '/', '*', 'good:443@evil:443', 'a:443?x', '//a:443', '']) {
    assert.equal(refusedAs(readConnect(connect(text, [['Host', 'a:443']]))), 'bad_request', text);
  }
  assert.deepEqual(readConnect(connect('[::1]:443')), { host: '::1', port: 443 });
});

test('a CONNECT and its Host agree; HTTP/1.0 needs none, and a port is not needed', () => {
  for (const host of ['evil.test:443', 'evil.test', 'a.test:80']) {
    assert.equal(refusedAs(readConnect(connect('a.test:443', [['Host', host]]))), 'authority_mismatch', host);
  }
  for (const host of ['a.test:443', 'A.TEST', 'a.test']) {
    assert.equal(refusedAs(readConnect(connect('a.test:443', [['Host', host]]))), null, host);
  }
  assert.equal(refusedAs(readConnect(connect('a.test:443', []))), 'authority_mismatch');
  assert.equal(refusedAs(readConnect(connect('a.test:443', [], '1.0'))), null);
  assert.equal(refusedAs(readConnect(connect('a.test:443', [['Host', '']], '1.0'))), 'bad_request');
});

test('B34: a CONNECT has no body and no framing', () => {
  const host = ['Host', 'a.test:443'] as const;
  for (const [field, value] of [
    ['Content-Length', '5'],
    ['Content-Length', '0'],
    ['Transfer-Encoding', 'chunked'],
  ] as const) {
    assert.equal(refusedAs(readConnect(connect('a.test:443', [host, [field, value]]))), 'bad_request', field);
  }
  assert.equal(refusedAs(readConnect(connect('a.test:443', [host, ['Proxy-Authorization', 'Basic x']]))), null);
});

test('a CONNECT is measured, versioned and checked like any head', () => {
  const raw = connect('a.test:443');
  assert.equal(refusedAs(readConnect(connect(`${'a'.repeat(8192)}:443`, []))), 'target_too_long');
  assert.equal(refusedAs(readConnect({ ...raw, version: '2.0' })), 'bad_request');
  assert.equal(refusedAs(readConnect({ ...raw, method: 'GET' })), 'method_not_allowed');
  assert.equal(refusedAs(readConnect({ ...raw, headers: [...raw.headers, ...raw.headers] })), 'bad_request');
  assert.equal(refusedAs(readConnect(raw)), null);
});
