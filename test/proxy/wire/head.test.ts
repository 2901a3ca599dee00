// The head as a whole: forms per door, agreement of authorities, and which of several faults is named.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Header } from '../../../core/facts.ts';
import { isRefusal } from '../../../core/reasons.ts';
import { readHead, type Head } from '../../../proxy/wire/head.ts';
import { forward, refusedAs, reverse, tunnelled } from './heads.ts';

function read(raw: Parameters<typeof readHead>[0]): Head {
  const head = readHead(raw);
  assert.ok(!isRefusal(head) && head.door !== 'reverse', JSON.stringify(head));
  return head;
}

test('a plain proxied request is read with its target as sent', () => {
  const headers: Header[] = [
    ['Host', 'API.test:80'],
    ['x-A', 'b'],
    ['X-a', 'c'],
  ];
  const head = read(forward({ target: 'HTTP://Api.Test/v1/%7Ex/../y?q=%20', headers }));
  assert.deepEqual(head.authority, { host: 'api.test', port: 80 });
  assert.equal(head.scheme, 'http');
  assert.equal(head.target, '/v1/%7Ex/../y?q=%20');
  assert.equal(head.headers, headers);
  assert.deepEqual(head.framing, { kind: 'none' });
});

test('a URL that ends with its authority asks for the root', () => {
  assert.equal(read(forward({ target: 'http://api.test' })).target, '/');
  assert.equal(read(forward({ target: 'http://api.test?q=/x' })).target, '/?q=/x');
});

test('B28: an https URL on the plain port is read as https, so that it is never dialled in the clear', () => {
  const head = read(forward({ target: 'https://api.test/x' }));
  assert.equal(head.scheme, 'https');
  assert.equal(head.authority.port, 443);
});

test('B01: a URL and a Host that name different hosts are refused', () => {
  const target = 'http://evil.test/x';
  assert.equal(refusedAs(readHead(forward({ target }))), 'authority_mismatch');
  assert.equal(refusedAs(readHead(forward({ target, headers: [['Host', 'evil.test:8080']] }))), 'authority_mismatch');
  assert.equal(refusedAs(readHead(forward({ target, headers: [['Host', 'evil.test']] }))), null);
});

test('B02: two Host lines are refused, the same or not', () => {
  assert.equal(refusedAs(readHead(forward({}, ['host', 'api.test']))), 'bad_request');
  assert.equal(refusedAs(readHead(forward({}, ['Host', 'evil.test']))), 'bad_request');
  assert.equal(refusedAs(readHead(forward({}))), null);
});

test('B08: a path on the forward door is told that it is not a proxy request', () => {
  const refusal = readHead(forward({ target: '/v1/x' }));
  assert.ok(isRefusal(refusal));
  assert.equal(refusal.refused, 'bad_request');
  assert.match(refusal.message, /found a path, needed an absolute URL: this is not a proxy request/);
});

test('B11: inside a tunnel the Host must be the host and port of the tunnel', () => {
  for (const host of ['evil.test', 'api.test:80', 'api.test:8443', 'x.api.test']) {
    assert.equal(refusedAs(readHead(tunnelled({ headers: [['Host', host]] }))), 'authority_mismatch', host);
  }
  for (const host of ['api.test', 'API.TEST', 'api.test:443']) {
    const head = read(tunnelled({ headers: [['Host', host]] }));
    assert.deepEqual([head.scheme, head.authority], ['https', { host: 'api.test', port: 443 }], host);
  }
});

test('B11: plain HTTP inside a tunnel is measured against port 80', () => {
  const via = (port: number) => ({ door: 'tunnel', tunnel: { host: 'api.test', port }, tls: false }) as const;
  assert.equal(read(tunnelled({ via: via(80) })).scheme, 'http');
  assert.equal(refusedAs(readHead(tunnelled({ via: via(443) }))), 'authority_mismatch');
  assert.equal(refusedAs(readHead(tunnelled({ via: via(443), headers: [['Host', 'api.test:443']] }))), null);
});

test('B11: an absolute URL inside a tunnel must agree with it', () => {
  assert.equal(read(tunnelled({ target: 'https://api.test/z' })).target, '/z');
  for (const target of [
    'http://api.test/z',
    'https://evil.test/z',
    'https://api.test:444/z',
    'http://api.test:443/z',
  ]) {
    assert.equal(refusedAs(readHead(tunnelled({ target }))), 'authority_mismatch', target);
  }
});

test('an absent Host agrees in HTTP/1.0 alone', () => {
  for (const raw of [forward({ headers: [] }), tunnelled({ headers: [] })]) {
    assert.equal(refusedAs(readHead(raw)), 'authority_mismatch');
    assert.equal(refusedAs(readHead({ ...raw, version: '1.0' })), null);
  }
  assert.equal(refusedAs(readHead(reverse({ headers: [] }))), 'bad_request');
  assert.equal(refusedAs(readHead(reverse({ headers: [], version: '1.0' }))), null);
});

test('an empty Host is not an absent one', () => {
  assert.equal(refusedAs(readHead(forward({ version: '1.0', headers: [['Host', '']] }))), 'bad_request');
});

test('B38: the reverse door takes a path and says by which name it was called', () => {
  const head = readHead(reverse({ headers: [['Host', 'Gate.Internal:4001']] }));
  assert.ok(!isRefusal(head));
  assert.deepEqual([head.target, head.calledAs], ['/sfdc/x', { host: 'gate.internal', port: 4001 }]);
  assert.ok(!('authority' in head));
  assert.equal(refusedAs(readHead(reverse({ target: 'http://api.test/sfdc/x' }))), 'bad_request');
  assert.equal(refusedAs(readHead(reverse({ headers: [['Host', 'u@gate']] }))), 'bad_request');
});

test('B07: a path of two slashes stays a path and names no host', () => {
  assert.equal(read(tunnelled({ target: '//evil.test/x' })).authority.host, 'api.test');
});

test('of several faults the first in the order of checks is named', () => {
  const faults = {
    target: `ftp://${'x'.repeat(9000)}`,
    version: '2.0',
    headers: [
      ['Host', 'u@evil'],
      ['Expect', 'more'],
      ['Content-Length', '+5'],
      ...Array<Header>(200).fill(['a', 'b']),
    ] as Header[],
  };
  const steps: [string, object][] = [
    ['target_too_long', {}],
    ['headers_too_large', { target: 'ftp://x' }],
    ['bad_request', { headers: faults.headers.slice(0, 3) }],
    ['method_not_allowed', { version: '1.1', method: 'TRACE' }],
    ['not_implemented', { method: 'OPTIONS', target: '*' }],
    ['expectation_failed', { method: 'POST', target: 'http://evil.test/' }],
    ['bad_request', { headers: [faults.headers[0], faults.headers[2]] }],
    ['bad_request', { headers: [['Host', 'u@evil']] }],
    ['authority_mismatch', { headers: [['Host', 'api.test']] }],
  ];
  let raw = forward(faults);
  for (const [code, mended] of steps) {
    raw = { ...raw, ...mended };
    assert.equal(refusedAs(readHead(raw)), code, JSON.stringify(mended).slice(0, 80));
  }
  assert.equal(refusedAs(readHead({ ...raw, target: 'http://api.test/' })), null);
});

test('a refusal never repeats a value that the client sent', () => {
  const secret = 'sk_live_4711';
  const raws = [
    forward({}, ['Authorization', secret], ['Authorization', secret]),
    forward({ target: `http://u:${secret}@api.test/` }),
    forward({}, ['X-Gate-Wait', secret]),
    forward({}, ['Expect', secret]),
    forward({}, ['Content-Length', secret]),
    forward({ target: `/${secret}` }),
    forward({}, ['Connection', `host, ${secret}`]),
  ];
  for (const raw of raws) {
    const refusal = readHead(raw);
    assert.ok(isRefusal(refusal));
    assert.ok(!refusal.message.includes(secret), refusal.message);
  }
});

test('A41: Upgrade: h2c with its settings is ignored, with a body too, as Java sends it', () => {
  const java: Header[] = [
    ['Connection', 'Upgrade, HTTP2-Settings'],
    ['Upgrade', 'h2c'],
    ['HTTP2-Settings', 'AAEAAEAAAAIAAAAA'],
  ];
  assert.equal(read(forward({}, ...java)).upgrade, null);
  assert.equal(read(forward({}, ...java, ['Content-Length', '5'])).upgrade, null);
});

test('A41: any other Upgrade is told, in whatever version and without Connection too', () => {
  const settings: Header = ['HTTP2-Settings', 'AAEAAEAAAAIAAAAA'];
  assert.equal(read(tunnelled({}, ['Connection', 'Upgrade'], ['Upgrade', 'websocket'])).upgrade, 'websocket');
  assert.equal(read(tunnelled({ version: '1.0' }, ['Upgrade', 'websocket'])).upgrade, 'websocket');
  assert.equal(read(tunnelled({}, ['Upgrade', 'h2c'])).upgrade, 'h2c');
  assert.equal(read(tunnelled({}, ['Upgrade', 'h2c, websocket'], settings)).upgrade, 'h2c, websocket');
  assert.equal(read(tunnelled({}, ['Upgrade', 'h2c'], ['Upgrade', 'websocket'], settings)).upgrade, 'h2c, websocket');
});

test('an upgrade with a body is refused, one with an empty body is not', () => {
  const upgrade: Header = ['Upgrade', 'websocket'];
  assert.equal(refusedAs(readHead(tunnelled({}, upgrade, ['Content-Length', '5']))), 'bad_request');
  assert.equal(refusedAs(readHead(tunnelled({}, upgrade, ['Transfer-Encoding', 'chunked']))), 'bad_request');
  assert.equal(refusedAs(readHead(tunnelled({}, upgrade, ['Content-Length', '0']))), null);
});

test('A31: only 100-continue is an expectation, and only with a body is a 100 owed', () => {
  const length: Header = ['Content-Length', '5'];
  for (const value of ['y 100-continue', '100-continue-z', '200-ok', '', '100-continue, x']) {
    assert.equal(refusedAs(readHead(forward({}, length, ['Expect', value]))), 'expectation_failed', value);
    assert.equal(read(forward({ version: '1.0' }, length, ['Expect', value])).expectation, 'none', value);
  }
  assert.equal(read(forward({}, length, ['Expect', '100-Continue'])).expectation, 'continue');
  assert.equal(read(forward({ version: '1.0' }, length, ['Expect', '100-continue'])).expectation, 'none');
  assert.equal(read(forward({}, ['Expect', '100-continue'])).expectation, 'none');
  assert.equal(read(forward({}, ['Content-Length', '0'], ['Expect', '100-continue'])).expectation, 'none');
});

test('A47: a method override is told, whichever of its three names it has', () => {
  for (const name of ['X-HTTP-Method-Override', 'x-http-method', 'X-METHOD-OVERRIDE']) {
    assert.equal(read(forward({ method: 'GET' }, [name, 'DELETE'])).methodOverride, 'DELETE', name);
  }
  assert.equal(read(forward({ method: 'GET' }, ['X-HTTP-Method-Override', ''])).methodOverride, '');
  assert.equal(read(forward({ method: 'GET' })).methodOverride, null);
});
