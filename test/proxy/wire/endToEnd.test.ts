// Which lines travel on, in which direction, and which of them tell one request from another.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Header } from '../../../core/facts.ts';
import { answerHeaders, endToEnd, isVolatile } from '../../../proxy/wire/endToEnd.ts';

const hop = ['Connection', 'Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'HTTP2-Settings'];
const proxy = ['Proxy-Authorization', 'Proxy-Authenticate', 'Proxy-Connection', 'Proxy-Anything'];
const gate = ['X-Gate-Intent-Id', 'X-Gate-Key', 'X-Gate-Status', 'X-Gate-'];
const forwarding = ['X-Forwarded-For', 'X-Forwarded-Host', 'Forwarded', 'X-Original-URL', 'X-Rewrite-URL'];
const listed = [...hop, ...proxy, ...gate, ...forwarding, 'Expect', 'Host', 'Content-Length'];

/** A name with each letter in either case. */
function anyCase(names: readonly string[]): fc.Arbitrary<string> {
  const cases = fc.array(fc.boolean(), { minLength: 30, maxLength: 30 });
  return fc
    .tuple(fc.constantFrom(...names), cases)
    .map(([name, upper]) =>
      Array.from(name, (letter, at) => (upper[at] ? letter.toUpperCase() : letter.toLowerCase())).join(''),
    );
}

test('A40: no listed field reaches the upstream, whatever its case and neighbours', () => {
  const lines = fc.array(fc.tuple(fc.oneof(anyCase(listed), fc.constantFrom('Accept', 'X-Foo')), fc.string()));
  fc.assert(
    fc.property(lines, (headers) => {
      const left = endToEnd(headers).map(([name]) => name);
      assert.deepEqual(
        left.filter((name) => name !== 'Accept' && name !== 'X-Foo'),
        [],
      );
    }),
  );
});

test('A40: every other line keeps its order, case, repetitions and bytes', () => {
  const headers: Header[] = [
    ['x-b', '\x85\xa0'],
    ['Host', 'a.test'],
    ['Authorization', 'Bearer x'],
    ['X-B', ''],
    ['TE', 'trailers'],
    ['cookie', 'a=1'],
    ['Cookie', 'b=2'],
    ['X-Gates', 'kept'],
    ['X-Forwarded', 'kept'],
    ['Proxied', 'kept'],
  ];
  assert.deepEqual(
    endToEnd(headers),
    headers.filter(([name]) => name !== 'Host' && name !== 'TE'),
  );
});

test('what Connection names goes no further, in both directions', () => {
  const headers: Header[] = [
    ['Connection', 'close, X-Secret'],
    ['x-secret', '1'],
    ['connection', 'x-other'],
    ['X-Other', '1'],
    ['X-Kept', '1'],
  ];
  assert.deepEqual(endToEnd(headers), [['X-Kept', '1']]);
  assert.deepEqual(answerHeaders(headers), [['X-Kept', '1']]);
});

test('an upstream cannot speak in the name of Gate or for another hop', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyCase([...hop, ...proxy, ...gate]), fc.string())), (headers) => {
      assert.deepEqual(answerHeaders(headers), []);
    }),
  );
  const kept: Header[] = [
    ['Set-Cookie', 'a'],
    ['set-cookie', 'b'],
    ['Content-Length', '5'],
    ['Location', 'http://x/'],
    ['Forwarded', 'x'],
  ];
  assert.deepEqual(answerHeaders(kept), kept);
});

test('the published list is volatile, by name or by what a name begins with', () => {
  const names = ['User-Agent', 'DATE', 'Accept-Encoding', 'X-Request-Id', 'traceparent', 'tracestate', 'baggage', 'b3'];
  const more = ['X-B3-TraceId', 'sentry-trace', 'X-Datadog-Parent-Id', 'X-Amzn-Trace-Id', 'X-Cloud-Trace-Context'];
  const sdks = ['X-Stainless-Retry-Count', 'X-Stripe-Client-Telemetry', 'amz-sdk-request'];
  for (const name of [...names, ...more, ...sdks]) assert.ok(isVolatile(name, []), name);
  for (const name of ['Authorization', 'X-B3', 'X-B3X', 'X-Stripe-Account', 'Accept', 'b3-x', 'Idempotency-Key']) {
    assert.ok(!isVolatile(name, []), name);
  }
});

test('an entry adds names and beginnings of its own, and never all of them', () => {
  assert.ok(isVolatile('x-nonce', ['X-Nonce']));
  assert.ok(isVolatile('X-Shop-Trace', ['x-shop-*']));
  assert.ok(!isVolatile('X-Shop', ['x-shop-*', '*']));
});
