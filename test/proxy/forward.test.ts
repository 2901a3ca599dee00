import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parsed, startUpstream, type Upstream } from '../support/upstream.ts';
import { proxyAuthorization, startTestGate, type TestGate } from '../support/gate.ts';

let gate: TestGate;
let upstream: Upstream;

const policies = {
  free: 'id: free\nauto_approve_under: 1\n',
  asks: 'id: asks\nrequire_approval: always\nexpiry_minutes: 15\n',
};

before(async () => {
  upstream = await startUpstream();
  const dial = `dial: "127.0.0.1:${upstream.port}"`;
  gate = await startTestGate({
    policies,
    destinations: `
api.free.test: { destination: free.write, policy: free, records: 1, ${dial} }
api.asks.test: { destination: asks.write, policy: asks, records: 1, ${dial} }
api.small.test: { destination: small.write, policy: free, records: 1, max_body: 10, ${dial} }
api.none.test: { destination: none.write, policy: missing, records: 1, ${dial} }
api.closed.test: { destination: closed.write, policy: free, writes: block, reads: block, ${dial} }
loop.test: { destination: loop.write, policy: free, records: 1, allow_private: true }
127.0.0.1:${upstream.port}: { destination: local.write, policy: free, records: 1 }
`,
  });
});
after(async () => {
  await gate.close();
  await upstream.close();
  assert.deepEqual(gate.faults, []);
});

const seen = () => upstream.requests.length;

test('an allowed write is forwarded with its own bytes: order, case, duplicates and odd bytes of its headers kept', async () => {
  const n = seen();
  const body = Buffer.from([0, 1, 2, 255, 13, 10, 13, 10]);
  const headers = ['x-Odd-CASE: 1', 'X-Dup: a', 'X-Other: \x85caf\xe9\xa0', 'x-dup: b', 'Accept: */*'];
  const answer = await gate.send({ url: 'http://api.free.test/v1/%7Ea?b=%20c&d', headers, body });
  assert.equal(answer.status, 200);
  assert.match(answer.header('x-gate-intent-id') ?? '', /^int_[0-9a-f]{32}$/);
  assert.equal(seen(), n + 1);
  const received = parsed(upstream.requests[n]);
  assert.equal(received.line, 'POST /v1/%7Ea?b=%20c&d HTTP/1.1');
  const own = received.headers.filter((line) => !/^(host|connection|content-length):/i.test(line));
  assert.deepEqual(own, ['x-Odd-CASE: 1', 'X-Dup: a', 'X-Other: \x85caf\xe9\xa0', 'x-dup: b', 'Accept: */*']);
  assert.equal(received.body, body.toString('latin1'));
});

test('I9, A40, E29: Gate’s headers, the agent’s key and hop-by-hop fields never leave', async () => {
  const n = seen();
  const headers = [
    'X-Gate-Token: x',
    'x-gate-status: approved',
    'Proxy-Connection: keep-alive',
    'Keep-Alive: 5',
    'TE: trailers',
    'Connection: X-Hop',
    'X-Hop: 1',
    'X-Forwarded-For: 10.0.0.1',
    'Forwarded: for=10.0.0.1',
    'X-Original-URL: /admin',
    'X-Kept: 1',
  ];
  assert.equal((await gate.send({ url: 'http://api.free.test/', headers, body: '{}' })).status, 200);
  const names = parsed(upstream.requests[n]).headers.map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
  assert.deepEqual(names.toSorted(), ['connection', 'content-length', 'host', 'x-kept']);
  assert.ok(!upstream.requests[n]?.toString('latin1').includes(gate.agentKey));
});

test('an upstream that says X-Gate-Intent-Id does not speak for Gate', async () => {
  const lying = await startUpstream((socket) => {
    socket.write(
      'HTTP/1.1 200 OK\r\nX-Gate-Intent-Id: int_lie\r\nX-Gate-Status: approved\r\nContent-Length: 0\r\n\r\n',
    );
  });
  const destinations = `a.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${lying.port}" }`;
  const own = await startTestGate({ policies, destinations });
  const answer = await own.send({ url: 'http://a.test/', body: '{}' });
  assert.deepEqual(
    answer.headers.filter(([name]) => /^x-gate/i.test(name)).map(([name]) => name),
    ['X-Gate-Intent-Id'],
  );
  assert.notEqual(answer.header('x-gate-intent-id'), 'int_lie');
  await own.close();
  await lying.close();
});

test('N01, N02: who presents no key, a wrong one or a malformed one is not known, and nothing is dialled', async () => {
  const n = upstream.connections;
  const url = 'http://api.free.test/';
  const cases: readonly (readonly string[])[] = [
    [],
    [proxyAuthorization(`gate_sk_${'0'.repeat(48)}`)],
    ['Proxy-Authorization: Basic !!!'],
    ['Proxy-Authorization: Basic'],
    [`Proxy-Authorization: Basic ${Buffer.from(gate.agentKey).toString('base64')}=x`],
    [`Proxy-Authorization: Bearer ${gate.adminKey}`],
    ['X-Gate-Agent: finance-bot'],
  ];
  for (const headers of cases) {
    const answer = await gate.send({ url, headers, body: '{}', key: null });
    assert.equal(answer.status, 407, String(headers));
    assert.match(answer.header('proxy-authenticate') ?? '', /^Basic realm=/);
    assert.equal(answer.json()['status'], 'refused');
  }
  assert.equal(upstream.connections, n);
  const bearer = [`Proxy-Authorization: Bearer ${gate.agentKey}`];
  assert.equal((await gate.send({ url, headers: bearer, body: '{}', key: null })).status, 200);
});

test('a suspended agent is out at once, and in again when resumed', async () => {
  await gate.api('POST', `/v1/agents/${gate.agentId}/suspend`, {});
  const refused = await gate.send({ url: 'http://api.free.test/', body: '{}' });
  assert.equal(refused.json()['reason_code'], 'agent_inactive');
  await gate.api('POST', `/v1/agents/${gate.agentId}/resume`, {});
  assert.equal((await gate.send({ url: 'http://api.free.test/', body: '{}' })).status, 200);
});

test('I4: a host that nobody listed, a policy that nobody wrote and a blocked destination stop the request', async () => {
  const n = upstream.connections;
  const expected = [
    ['http://unlisted.test/', 403, 'destination_unknown'],
    ['http://api.none.test/', 403, 'policy_not_found'],
    ['http://api.closed.test/', 403, 'destination_blocked'],
    ['http://api.free.test:8080/', 403, 'destination_unknown'],
    ['http://api.free.test.evil.test/', 403, 'destination_unknown'],
  ] as const;
  for (const [url, status, reason] of expected) {
    const answer = await gate.send({ url, body: '{}' });
    assert.equal(answer.status, status, url);
    assert.equal(answer.json()['reason_code'], reason, url);
  }
  assert.equal(upstream.connections, n);
});

test('a refusal says why, what to do, in a form every SDK reads as a failure, and echoes nothing', async () => {
  const secret = 'sk_live_very_secret';
  const headers = [`Authorization: Bearer ${secret}`];
  const answer = await gate.send({ url: `http://unlisted.test/p?token=${secret}`, headers, body: secret });
  const body = answer.json();
  for (const key of ['status', 'reason_code', 'message', 'hint', 'requestId', 'code', 'error', 'errors']) {
    assert.ok(key in body, key);
  }
  assert.equal(answer.header('x-gate-status'), 'refused');
  assert.equal(answer.header('cache-control'), 'no-store');
  assert.equal(answer.header('x-should-retry'), 'false');
  assert.match(answer.header('proxy-status') ?? '', /^gate; error=http_request_denied; reason=destination_unknown$/);
  assert.ok(!JSON.stringify([answer.body, answer.headers]).includes(secret));
  assert.ok(answer.body.length <= 1024);
  const log = await gate.api('GET', '/v1/audit?type=refused&limit=1000');
  assert.ok(log.text.includes(String(body['requestId'])));
  assert.ok(!log.text.includes(secret));
});

test('a body over its limit is refused whole, declared or not; one at the limit passes', async () => {
  const n = seen();
  const url = 'http://api.small.test/';
  assert.equal((await gate.send({ url, body: '12345678901' })).status, 413);
  const client = gate.client();
  const head = `POST ${url} HTTP/1.1\r\nHost: api.small.test\r\n${proxyAuthorization(gate.agentKey)}\r\n`;
  client.send(`${head}Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n`);
  assert.equal((await client.answer()).json()['reason_code'], 'body_too_large');
  assert.equal(seen(), n);
  assert.equal((await gate.send({ url, body: '1234567890' })).status, 200);
});

test('A28: a chunked DELETE leaves as one request with its exact length', async () => {
  const n = seen();
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n';
  const client = gate.client();
  const head = `DELETE http://api.free.test/x HTTP/1.1\r\nHost: api.free.test\r\n${proxyAuthorization(gate.agentKey)}\r\n`;
  client.send(`${head}Transfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`);
  assert.equal((await client.answer()).status, 200);
  assert.equal(seen(), n + 1);
  const received = parsed(upstream.requests[n]);
  assert.equal(received.body, smuggled);
  assert.ok(received.headers.includes(`content-length: ${smuggled.length}`));
  assert.ok(!received.headers.some((line) => /^transfer-encoding/i.test(line)));
});

test('A22, A23: trailers are dropped and never become headers', async () => {
  const n = seen();
  const client = gate.client();
  const head = `POST http://api.free.test/x HTTP/1.1\r\nHost: api.free.test\r\n${proxyAuthorization(gate.agentKey)}\r\n`;
  client.send(
    `${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Late: POST / HTTP/1.1\r\nX-Gate-Intent-Id: x\r\n\r\n`,
  );
  assert.equal((await client.answer()).status, 200);
  assert.equal(seen(), n + 1);
  assert.ok(!upstream.requests[n]?.toString('latin1').toLowerCase().includes('x-late'));
});

test('A26: a body that breaks off is not judged, let alone sent', async () => {
  const n = seen();
  const client = gate.client();
  const head = `POST http://api.free.test/x HTTP/1.1\r\nHost: api.free.test\r\n${proxyAuthorization(gate.agentKey)}\r\n`;
  client.send(`${head}Content-Length: 100\r\n\r\n1234567890`);
  client.socket.end();
  await client.closed();
  assert.equal(seen(), n);
});

test('F01, I8: an entry that names a loopback address is not enough to reach it; allow_private is', async () => {
  const n = seen();
  const refused = await gate.send({ url: `http://127.0.0.1:${upstream.port}/`, body: '{}' });
  assert.equal(refused.status, 403);
  assert.equal(refused.json()['reason_code'], 'address_not_allowed');
  assert.equal(seen(), n);
});

test('F11: Gate’s own ports are never dialled, not even where private addresses are allowed', async () => {
  const own = await startTestGateOnItself();
  for (const url of own.urls) {
    const answer = await own.gate.send({ url, body: '{}' });
    assert.equal(answer.json()['reason_code'], 'address_not_allowed', url);
  }
  await own.gate.close();
});

/** Ports are only known once Gate runs: the destinations name ports that are then given to it. */
async function startTestGateOnItself() {
  const first = await startTestGate({ policies, destinations: 'a.test: { destination: a.b }' });
  const control = Number(new URL(first.controlUrl).port);
  const proxy = first.proxyPort;
  await first.close();
  const destinations = [control, proxy]
    .flatMap((port) => [
      `127.0.0.1:${port}: { destination: self.write, policy: free, records: 1, allow_private: true }`,
      `named-${port}.test: { destination: self.write, policy: free, records: 1, dial: "localhost:${port}" }`,
    ])
    .join('\n');
  const own = await startTestGate({
    policies,
    destinations,
    ports: { control, proxy },
  });
  const urls = [control, proxy].flatMap((port) => [`http://127.0.0.1:${port}/`, `http://named-${port}.test/`]);
  return { gate: own, urls };
}

test('a read passes, is on record before it leaves, and is no intent', async () => {
  const n = seen();
  const answer = await gate.send({ method: 'GET', url: 'http://api.asks.test/v1/things?secret=1' });
  assert.equal(answer.status, 200);
  assert.equal(answer.header('x-gate-intent-id'), undefined);
  assert.equal(seen(), n + 1);
  const log = await gate.api('GET', '/v1/audit?type=read_passed&limit=1000');
  assert.ok(log.text.includes('/v1/things') && !log.text.includes('secret=1'));
});

test('A29, A47, D50: a GET with a body or a method override is a write', async () => {
  const url = 'http://api.asks.test/v1/things';
  assert.equal((await gate.send({ method: 'GET', url, body: 'x' })).status, 202);
  assert.equal((await gate.send({ method: 'GET', url, headers: ['X-HTTP-Method-Override: DELETE'] })).status, 202);
  assert.equal((await gate.send({ method: 'DELETE', url })).status, 202);
  assert.equal((await gate.send({ method: 'GET', url, headers: ['Content-Length: 0'] })).status, 200);
});

test('HEAD, 204 and 304 come back as they are', async () => {
  const own = await startUpstream((socket, request) => {
    const [, path = ''] = /^\w+ (\S+)/.exec(request.toString('latin1')) ?? [];
    if (path === '/head') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n');
    else socket.write(`HTTP/1.1 ${path.slice(1)} X\r\nETag: "a"\r\n\r\n`);
  });
  const destinations = `a.test: { destination: a.b, policy: free, dial: "127.0.0.1:${own.port}" }`;
  const other = await startTestGate({ policies, destinations });
  const head = await other.send({ method: 'HEAD', url: 'http://a.test/head' });
  assert.equal(head.header('content-length'), '1234');
  for (const status of [204, 304]) {
    const answer = await other.send({ method: 'GET', url: `http://a.test/${status}` });
    assert.equal(answer.status, status);
    assert.equal(answer.header('etag'), '"a"');
  }
  await other.close();
  await own.close();
});
