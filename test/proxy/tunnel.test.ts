import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parsed, startUpstream, type Upstream } from '../support/upstream.ts';
import { proxyAuthorization, startTestGate, until, type TestGate } from '../support/gate.ts';
import type { RawClient } from '../support/raw.ts';

let gate: TestGate;
let upstream: Upstream;

before(async () => {
  upstream = await startUpstream();
  const dial = `records: 1, dial: "127.0.0.1:${upstream.port}"`;
  gate = await startTestGate({
    policies: { free: 'id: free\nauto_approve_under: 1\n', asks: 'id: asks\nrequire_approval: always\n' },
    destinations: `
a.test: { destination: a.b, policy: free, ${dial} }
asks.test: { destination: a.c, policy: asks, ${dial} }
odd.test:8080: { destination: a.d, policy: free, ${dial} }`,
  });
});
after(async () => {
  await gate.close();
  await upstream.close();
  assert.deepEqual(gate.faults, []);
});

const connect = (target: string, lines: readonly string[] = [proxyAuthorization(gate.agentKey)], version = '1.1') =>
  `${[`CONNECT ${target} HTTP/${version}`, ...(version === '1.0' ? [] : [`Host: ${target}`]), ...lines].join('\r\n')}\r\n\r\n`;
const post = (path: string, host = 'a.test', lines: readonly string[] = []) =>
  `${[`POST ${path} HTTP/1.1`, `Host: ${host}`, ...lines, 'Content-Length: 2'].join('\r\n')}\r\n\r\n{}`;

async function tunnel(target = 'a.test:80'): Promise<RawClient> {
  const client = gate.client();
  client.send(connect(target));
  const answer = await client.answer({ head: true });
  assert.equal(answer.status, 200);
  return client;
}

test('plain HTTP inside a tunnel is governed as through the forward door', async () => {
  const n = upstream.requests.length;
  const client = await tunnel();
  for (const path of ['/one', '/two']) {
    client.send(post(path, 'a.test', [proxyAuthorization(gate.agentKey), 'X-Own: 1']));
    const answer = await client.answer();
    assert.equal(answer.status, 200);
    assert.match(answer.header('x-gate-intent-id') ?? '', /^int_/);
  }
  const received = parsed(upstream.requests[n]);
  assert.equal(received.line, 'POST /one HTTP/1.1');
  assert.ok(received.headers.includes('X-Own: 1'));
  assert.ok(!received.headers.some((line) => /^proxy-/i.test(line)), 'clients that repeat the key do not leak it');
});

test('the request may be sent together with the CONNECT, byte by byte, and to another port than 80', async () => {
  const together = gate.client();
  together.send(connect('a.test:80') + post('/together'));
  assert.equal((await together.answer({ head: true })).status, 200);
  assert.equal((await together.answer()).status, 200);
  const odd = await tunnel('odd.test:8080');
  for (const byte of Buffer.from(post('/slow', 'odd.test:8080'))) {
    odd.send(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await odd.answer()).status, 200);
});

test('HTTP/1.0 CONNECT without Host, as Python up to 3.11 sends it, is a tunnel', async () => {
  const client = gate.client();
  client.send(connect('a.test:80', [proxyAuthorization(gate.agentKey)], '1.0'));
  assert.equal((await client.answer({ head: true })).status, 200);
  client.send(post('/old'));
  assert.equal((await client.answer()).status, 200);
});

test('B11: inside a tunnel only its own host can be asked for, in whatever form', async () => {
  const n = upstream.connections;
  for (const request of [
    post('/x', 'asks.test'),
    post('http://asks.test/x', 'a.test'),
    post('http://asks.test/x', 'asks.test'),
    post('/x', 'a.test:81'),
    'GET /x HTTP/1.1\r\n\r\n',
  ]) {
    const client = await tunnel();
    client.send(request);
    const answer = await client.answer();
    assert.equal(answer.status, 400, request);
    assert.equal(answer.json()['reason_code'], 'authority_mismatch', request);
    await client.closed();
  }
  assert.equal(upstream.connections, n);
});

test('B16, B17, B20: a CONNECT with a doubtful target is refused, with the reason in the status line, and closed', async () => {
  for (const target of [
    'a.test',
    'a.test:',
    'a.test:0',
    'a.test:65536',
    'a.test:+80',
    'a.test:80x',
    'a.test:080',
    'http://a.test:80/',
    'a.test:80/x',
    'u@a.test:80',
    '/',
    '*',
    'a.test%00.evil:80',
    '127.1:80',
    '2130706433:80',
    '[fe80::1%25eth0]:80',
  ]) {
    const client = gate.client();
    client.send(`CONNECT ${target} HTTP/1.1\r\nHost: a.test:80\r\n${proxyAuthorization(gate.agentKey)}\r\n\r\n`);
    const answer = await client.answer();
    assert.equal(answer.status, 400, target);
    assert.match(answer.phrase, /by Gate: (bad_request|authority_mismatch)/, target);
    await client.closed();
  }
});

test('B34, N01: a refused CONNECT is closed and nothing behind it is read as a request', async () => {
  const n = upstream.requests.length;
  for (const [head, status] of [
    [connect('a.test:80', []), 407],
    [connect('unlisted.test:80'), 403],
    [connect('a.test:8080'), 403],
    [connect('a.test:80', [proxyAuthorization(gate.agentKey), 'Content-Length: 5']), 400],
  ] as const) {
    const client = gate.client();
    client.send(head + post('/behind'));
    assert.equal((await client.answer()).status, status);
    await client.closed();
  }
  assert.equal(upstream.requests.length, n);
});

test('B35: a tunnel inside a tunnel is refused', async () => {
  const client = await tunnel();
  client.send(connect('a.test:80'));
  assert.equal((await client.answer()).status, 405);
  await client.closed();
});

test('B32, G16: what is neither TLS nor HTTP closes the tunnel', async () => {
  for (const bytes of ['SSH-2.0-OpenSSH_9\r\n', 'EHLO a\r\n', '\x00\x01\x02', '\x80\x2e\x01\x03\x01']) {
    const client = await tunnel();
    client.send(bytes);
    const rest = await client.closed();
    assert.ok(rest === '' || rest.startsWith('HTTP/1.1 4'), rest);
  }
});

test('with interception off no tunnel is made, since nothing in it could be seen', async () => {
  const off = await startTestGate({
    policies: { free: 'id: free\n' },
    env: { GATE_TLS_INTERCEPT: 'false' },
    destinations: 'a.test: { destination: a.b, policy: free }',
  });
  const client = off.client();
  client.send(connect('a.test:443', [proxyAuthorization(off.agentKey)]));
  const answer = await client.answer();
  assert.equal(answer.status, 403);
  assert.match(answer.phrase, /tls_interception_required/);
  await client.closed();
  await off.close();
});

test('a key revoked while its tunnel is open is out with the next request', async () => {
  const other = await gate.api('POST', '/v1/agents/register', { name: 'short-lived' });
  const client = gate.client();
  client.send(connect('a.test:80', [proxyAuthorization(other.body['apiKey'])]));
  await client.answer({ head: true });
  client.send(post('/before'));
  assert.equal((await client.answer()).status, 200);
  await gate.api('POST', `/v1/agents/${other.body['agentId']}/revoke`, {});
  client.send(post('/after'));
  assert.equal((await client.answer()).status, 401);
});

test('another key presented inside the tunnel does not change who it is', async () => {
  const other = await gate.api('POST', '/v1/agents/register', { name: 'second' });
  const client = await tunnel();
  client.send(post('/who', 'a.test', [proxyAuthorization(other.body['apiKey'])]));
  const id = (await client.answer()).header('x-gate-intent-id');
  assert.equal((await gate.api('GET', `/v1/intents/${id}`)).body['agent'].name, 'test-agent');
});

test('H04: a tunnel that says nothing, or resets at any moment, costs a connection and no more', async () => {
  for (let n = 0; n < 30; n++) {
    const client = gate.client();
    client.send(connect('a.test:80') + (n % 3 === 0 ? '' : n % 3 === 1 ? post('/x').slice(0, 20) : '\x16'));
    if (n % 2 === 0) await client.answer({ head: true });
    client.socket.resetAndDestroy();
  }
  assert.equal((await gate.send({ url: 'http://a.test/', body: '{}' })).status, 200);
});

test('a client held in a tunnel is served when its request is approved', async () => {
  const client = await tunnel('asks.test:80');
  client.send(post('/held', 'asks.test', ['X-Gate-Wait: true']));
  await until(async () => (await gate.api('GET', '/v1/proxy/held')).body['held'].length === 1);
  const [held] = (await gate.api('GET', '/v1/proxy/held')).body['held'];
  await gate.approve(held.intentId);
  assert.equal((await client.answer()).status, 200);
});
