import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerOk, startUpstream, type Upstream } from '../support/upstream.ts';
import { proxyAuthorization, startTestGate, until, type TestGate } from '../support/gate.ts';
import type { RawClient } from '../support/raw.ts';

let gate: TestGate;
let upstream: Upstream;
/** Answers that the upstream holds back until a test lets them go. */
const held: (() => void)[] = [];

before(async () => {
  upstream = await startUpstream((socket, request, index) => {
    if (request.toString('latin1').startsWith('POST /held')) held.push(() => answerOk(socket, request, index));
    else answerOk(socket, request, index);
  });
  gate = await startTestGate({
    policies: { free: 'id: free\nauto_approve_under: 1\n' },
    destinations: `a.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${upstream.port}" }`,
  });
});
after(async () => {
  await gate.close();
  await upstream.close();
  assert.deepEqual(gate.faults, []);
});

/** A request through the proxy, its framing given by the test. */
function head(lines: readonly string[], line = 'POST http://a.test/x HTTP/1.1'): string {
  return `${[line, 'Host: a.test', proxyAuthorization(gate.agentKey), ...lines].join('\r\n')}\r\n\r\n`;
}
const post = (path: string, body = '{}') =>
  head([`Content-Length: ${body.length}`], `POST http://a.test${path} HTTP/1.1`) + body;

/** What the connection shows of a fault: the status of its answer, or null where it is only closed. */
async function statusOf(client: RawClient): Promise<number | null> {
  try {
    return (await client.answer()).status;
  } catch {
    return null;
  }
}

const refused: readonly (readonly [id: string, bytes: () => string, statuses: readonly (number | null)[]])[] = [
  [
    'A01: Content-Length with Transfer-Encoding',
    () => head(['Content-Length: 3', 'Transfer-Encoding: chunked']) + '0\r\n\r\n',
    [400],
  ],
  [
    'A01: Transfer-Encoding with Content-Length',
    () => head(['Transfer-Encoding: chunked', 'Content-Length: 3']) + '0\r\n\r\n',
    [400],
  ],
  ['A02: two Content-Length', () => head(['Content-Length: 5', 'Content-Length: 6']) + 'hello', [400]],
  ['A04: a list as Content-Length', () => head(['Content-Length: 5, 5']) + 'hello', [400]],
  ['A05: a sign in Content-Length', () => head(['Content-Length: +5']) + 'hello', [400]],
  ['A05: a leading zero in Content-Length', () => head(['Content-Length: 05']) + 'hello', [400]],
  ['A05: an empty Content-Length', () => head(['Content-Length: ']) + 'hello', [400]],
  ['A07: gzip, chunked', () => head(['Transfer-Encoding: gzip, chunked']) + '0\r\n\r\n', [501]],
  ['A08: an empty member before chunked', () => head(['Transfer-Encoding: ,chunked']) + '0\r\n\r\n', [400]],
  [
    'A10: two Transfer-Encoding',
    () => head(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']) + '0\r\n\r\n',
    [400],
  ],
  ['A10: identity', () => head(['Transfer-Encoding: identity']) + '0\r\n\r\n', [400]],
  [
    'A11: chunked in HTTP/1.0',
    () => head(['Transfer-Encoding: chunked'], 'POST http://a.test/x HTTP/1.0') + '0\r\n\r\n',
    [400],
  ],
  ['A13: a header that begins with a blank', () => head([' X: 1', 'Content-Length: 0']), [400]],
  ['A14: a folded header', () => head(['X: a\r\n b', 'Content-Length: 0']), [400]],
  ['A16: a bare CR in a value', () => head(['X: a\rb', 'Content-Length: 0']), [400]],
  ['A17: NUL in a value', () => head(['X: a\0b', 'Content-Length: 0']), [400]],
  ['A19: Content_Length', () => head(['Content_Length: 5', 'Content-Length: 0']), [400]],
  ['A20: a chunk size with 0x', () => head(['Transfer-Encoding: chunked']) + '0x2\r\n{}\r\n0\r\n\r\n', [400, null]],
  ['A20: a chunk size with a sign', () => head(['Transfer-Encoding: chunked']) + '+2\r\n{}\r\n0\r\n\r\n', [400]],
  [
    'A20: a chunk size of 17 digits',
    () => head(['Transfer-Encoding: chunked']) + '10000000000000002\r\n{}\r\n0\r\n\r\n',
    [400, null],
  ],
  ['A31: an obfuscated expectation', () => head(['Expect: y 100-continue', 'Content-Length: 2']) + '{}', [417]],
  ['A31: another expectation', () => head(['Expect: 200-ok', 'Content-Length: 2']) + '{}', [417]],
  ['A32: 2001 header lines', () => head([...Array<string>(2001).fill('a: b'), 'Content-Length: 0']), [431]],
  ['A32: 201 header lines', () => head([...Array<string>(201).fill('a: b'), 'Content-Length: 0']), [431]],
  ['A34: a header of a megabyte', () => head([`X: ${'a'.repeat(1 << 20)}`, 'Content-Length: 0']), [431, null]],
  ['A34: headers of 16 KiB and one', () => head([`X: ${'a'.repeat(16_384)}`, 'Content-Length: 0']), [431]],
  [
    'A35, H07: a target of 9 KiB',
    () => head(['Content-Length: 0'], `POST http://a.test/${'a'.repeat(9_000)} HTTP/1.1`),
    [414],
  ],
  [
    'A35, H07: a target of 64 KiB',
    () => head(['Content-Length: 0'], `POST http://a.test/${'a'.repeat(65_536)} HTTP/1.1`),
    [414, null],
  ],
  ['A37: two Authorization', () => head(['Authorization: a', 'Authorization: b', 'Content-Length: 0']), [400]],
  ['A37, E28: X-Gate-Wait twice', () => head(['X-Gate-Wait: true', 'X-Gate-Wait: false', 'Content-Length: 0']), [400]],
  ['A38: Connection names Content-Type', () => head(['Connection: Content-Type', 'Content-Length: 0']), [400]],
  [
    'A43, A41: an upgrade to WebSocket',
    () => head(['Connection: Upgrade', 'Upgrade: websocket'], 'GET http://a.test/ HTTP/1.1'),
    [403],
  ],
  ['A44: the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
  ['A46: a method in lower case', () => head([], 'post http://a.test/ HTTP/1.1'), [405]],
  ['A46: an unknown method', () => head([], 'FROB http://a.test/ HTTP/1.1'), [405]],
  ['A46: a method that is no token', () => head([], 'G=":<>(e),[T] http://a.test/ HTTP/1.1'), [400]],
  ['B01: another Host than the target', () => 'GET http://a.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n', [400]],
  ['B02: two Host', () => 'GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nHost: a.test\r\n\r\n', [400]],
  ['B02: no Host', () => 'GET http://a.test/ HTTP/1.1\r\n\r\n', [400]],
  ['B04: user information', () => head([], 'GET http://u:p@a.test/ HTTP/1.1'), [400]],
  ['B08: a path without a host', () => 'GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n', [400]],
  ['B31: another scheme', () => head([], 'GET ftp://a.test/ HTTP/1.1'), [400]],
  ['a version that is none', () => head([], 'GET http://a.test/ HTTP/2.0'), [400]],
  ['N13: TLS on the plain port', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', [400, null]],
  ['N13: SOCKS', () => '\x05\x01\x00', [400, null]],
  ['N13: noise', () => '\xff\xfe\x00noise\r\n\r\n', [400, null]],
  [
    'CONNECT to a host that nobody listed',
    () => head([], 'CONNECT b.test:443 HTTP/1.1').replace('Host: a.test', 'Host: b.test:443'),
    [403],
  ],
];

for (const [id, bytes, statuses] of refused) {
  test(`${id} is refused, closed, and nothing behind it is a request`, async () => {
    const [requests, connections] = [upstream.requests.length, upstream.connections];
    const client = gate.client();
    client.send(bytes());
    client.send(post('/smuggled'));
    const status = await statusOf(client);
    assert.ok(statuses.includes(status), `answered ${status}`);
    const rest = status === null ? '' : await client.closed();
    assert.ok(!rest.includes('HTTP/1.1 200'), rest);
    assert.equal(upstream.requests.length, requests);
    assert.equal(upstream.connections, connections);
  });
}

test('a refusal before anyone is known is on record once per source and reason, the others counted', async () => {
  const before = await gate.api('GET', '/v1/audit?type=refused&limit=1000');
  for (let n = 0; n < 20; n++) await gate.send({ url: 'http://a.test/', body: '{}', key: null });
  const after = await gate.api('GET', '/v1/audit?type=refused&limit=1000');
  const rows = (text: string) => text.split('"proxy_unauthorized"').length - 1;
  assert.ok(rows(after.text) - rows(before.text) <= 1);
});

test('requests of one connection are answered in their order, one at a time', async () => {
  const client = gate.client();
  client.send(post('/held?1') + post('/second'));
  await until(() => held.length === 1);
  const n = upstream.requests.length;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(upstream.requests.length, n, 'the second waits for the first');
  held.pop()?.();
  assert.equal((await client.answer()).status, 200);
  assert.equal((await client.answer()).status, 200);
  client.end();
});

test('H08: of requests without end on one connection a bounded number is read ahead', async () => {
  const client = gate.client();
  const n = upstream.requests.length;
  client.send(post('/held?2') + post('/many').repeat(500));
  await until(() => held.length === 1);
  held.pop()?.();
  const rest = await client.closed();
  const answered = rest.split('HTTP/1.1 200').length - 1;
  assert.ok(answered >= 1 && answered <= 40, String(answered));
  assert.equal(upstream.requests.length - n, answered);
});

test('garbage behind a request under way does not take the place of its answer', async () => {
  const client = gate.client();
  client.send(post('/held?3'));
  await until(() => held.length === 1);
  client.send('\0\0garbage\r\n\r\n');
  await new Promise((resolve) => setTimeout(resolve, 20));
  held.pop()?.();
  const answer = await client.answer();
  assert.equal(answer.status, 200);
  assert.equal(answer.header('connection'), 'close');
  await client.closed();
});

test('a request that waits behind another is none once something unreadable follows it', async () => {
  const client = gate.client();
  const n = upstream.requests.length;
  client.send(`${post('/held?5')}${head([], 'DELETE http://a.test/waiting HTTP/1.1')}\0\0garbage\r\n\r\n`);
  await until(() => held.length === 1);
  held.pop()?.();
  assert.equal((await client.answer()).status, 200);
  assert.equal(await client.closed(), '');
  // What would have been sent anyway is sent by now: another request comes and goes behind it.
  assert.equal((await gate.send({ url: 'http://a.test/', body: '{}' })).status, 200);
  assert.equal(upstream.requests.length, n + 2);
  assert.ok(!(await gate.api('GET', '/v1/intents?limit=500')).text.includes('/waiting'), 'it was not even proposed');
});

test('A25: nothing is processed behind Connection: close', async () => {
  const n = upstream.requests.length;
  const client = gate.client();
  client.send(head(['Connection: close', 'Content-Length: 2']) + '{}' + post('/after-close'));
  assert.equal((await client.answer()).status, 200);
  await client.closed();
  assert.equal(upstream.requests.length, n + 1);
});

test('a CONNECT behind a request under way closes the connection and is not answered before it', async () => {
  const client = gate.client();
  client.send(post('/held?4'));
  await until(() => held.length === 1);
  client.send('CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n');
  const rest = await client.closed();
  assert.ok(!rest.includes('HTTP/1.1'), rest);
  held.pop()?.();
});

test('H20: a client that resets after CONNECT, or in the middle of anything, ends nothing but itself', async () => {
  for (const bytes of [
    'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n',
    post('/x').slice(0, 60),
    post('/x'),
  ]) {
    for (let n = 0; n < 20; n++) {
      const client = gate.client();
      client.send(bytes);
      client.socket.resetAndDestroy();
    }
  }
  assert.equal((await gate.send({ url: 'http://a.test/', body: '{}' })).status, 200);
});

test('Expect: 100-continue is invited only when nothing speaks against the request so far', async () => {
  const welcome = gate.client();
  welcome.send(head(['Expect: 100-continue', 'Content-Length: 2']));
  assert.equal((await welcome.answer()).status, 100);
  welcome.send('{}');
  assert.equal((await welcome.answer()).status, 200);
  const unknown = gate.client();
  unknown.send('POST http://a.test/ HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
  assert.equal((await unknown.answer()).status, 407);
  const large = gate.client();
  large.send(head(['Expect: 100-continue', `Content-Length: ${1 << 30}`]));
  assert.equal((await large.answer()).status, 413);
});

test('an HTTP/1.0 client gets no 100, no chunks, and a closed connection', async () => {
  const client = gate.client();
  client.send(head(['Expect: 100-continue', 'Content-Length: 2'], 'POST http://a.test/ HTTP/1.0') + '{}');
  const text = await client.closed();
  assert.match(text, /^HTTP\/1\.1 200/);
  assert.ok(!/transfer-encoding/i.test(text));
});

test('Java’s Upgrade: h2c is ignored and not passed on', async () => {
  const n = upstream.requests.length;
  const lines = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAEAAEAAAAIAAAAA'];
  const client = gate.client();
  client.send(head(lines, 'GET http://a.test/ HTTP/1.1'));
  assert.equal((await client.answer()).status, 200);
  assert.ok(!/upgrade|http2-settings/i.test(upstream.requests[n]?.toString('latin1') ?? ''));
});

test('a body that comes byte by byte is the same body', async () => {
  const n = upstream.requests.length;
  const client = gate.client();
  client.socket.setNoDelay(true);
  const bytes = Buffer.from(`${head(['Transfer-Encoding: chunked'])}a\r\n0123456789\r\n0\r\n\r\n`, 'latin1');
  for (const byte of bytes) {
    client.send(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await client.answer()).status, 200);
  assert.ok(upstream.requests[n]?.toString('latin1').endsWith('\r\n\r\n0123456789'));
});

test('H16: an upstream that answers nonsense is a failed upstream, and Gate goes on', async () => {
  const answers = [
    'HTTP/1.1 099 X\r\n\r\n',
    'HTTP/1.1 999 X\r\n\r\n',
    'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
    `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(3000)}\r\n`,
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'SSH-2.0-OpenSSH\r\n',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  ];
  const rude = await startUpstream((socket, request) => {
    const index = Number(/^POST \/(\d+)/.exec(request.toString('latin1'))?.[1]);
    socket.end(Buffer.from(answers[index] ?? '', 'latin1'));
  });
  const own = await startTestGate({
    policies: { free: 'id: free\nauto_approve_under: 1\n' },
    destinations: `a.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${rude.port}" }`,
  });
  for (const index of answers.keys()) {
    const answer = await own.send({ url: `http://a.test/${index}`, body: '{}' });
    assert.equal(answer.status, 502, answers[index]?.slice(0, 40));
    assert.equal(answer.json()['status'], 'unknown');
  }
  assert.deepEqual(own.faults, []);
  await own.close();
  await rude.close();
});

test('a phrase that is not ASCII, and interim answers, reach nobody', async () => {
  const odd = await startUpstream((socket) => {
    socket.write(
      Buffer.from('HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 F\xefne\r\nContent-Length: 2\r\n\r\nok', 'latin1'),
    );
  });
  const own = await startTestGate({
    policies: { free: 'id: free\nauto_approve_under: 1\n' },
    destinations: `a.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${odd.port}" }`,
  });
  const answer = await own.send({ url: 'http://a.test/', body: '{}' });
  assert.equal(answer.status, 200);
  assert.equal(answer.body, 'ok');
  await own.close();
  await odd.close();
});
