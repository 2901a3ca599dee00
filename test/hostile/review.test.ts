import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { after, before, test } from 'node:test';
import { readLine, writeLine } from '../../control/audit/lines.ts';
import { table } from '../../cli/terminal.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startTestGate, until, wire, type TestGate } from '../support/gate.ts';

let gate: TestGate;
let upstream: Upstream;

const policies = {
  free: 'id: free\nblock_if_terms: ["sue"]\nauto_approve_under: 1\n',
  asks: 'id: asks\nrequire_approval: always\n',
};

before(async () => {
  upstream = await startUpstream();
  const dial = `records: 1, dial: "127.0.0.1:${upstream.port}"`;
  gate = await startTestGate({
    policies,
    env: { GATE_REGISTRATION: 'open' },
    destinations: `
free.test: { destination: a.b, policy: free, ${dial} }
asks.test: { destination: a.c, policy: asks, reverse: /asks, ${dial} }`,
  });
});
after(async () => {
  await gate.close();
  await upstream.close();
});

test('nesting without end in a request to the API is 400, and Gate goes on', async () => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const answer = await fetch(`${gate.controlUrl}/v1/agents/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: `{"name":"d","metadata":{"a":${deep}}}`,
  });
  assert.equal(answer.status, 400);
  const doubled = await fetch(`${gate.controlUrl}/v1/agents/register`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"name":"d","name":"e"}',
  });
  assert.equal(doubled.status, 400);
  assert.equal((await gate.send({ url: 'http://free.test/', body: '{}' })).status, 200);
});

test('H14: bodies that become a hundred times their size, many at once, are judged in turn or refused', async () => {
  const bomb = gzipSync(Buffer.from('a '.repeat(1 << 20)));
  const headers = ['Content-Encoding: gzip', 'Content-Type: text/plain'];
  const sent = Array.from({ length: 8 }, () => gate.send({ url: 'http://free.test/bomb', headers, body: bomb }));
  const quick = await gate.send({ url: 'http://free.test/quick', body: '{}' });
  assert.equal(quick.status, 200);
  const statuses = new Set((await Promise.all(sent)).map(({ status }) => status));
  for (const status of statuses) assert.ok([200, 403, 503].includes(status), String(status));
});

test('an answer is whole for the client only when its outcome is on record', async () => {
  for (let n = 0; n < 60; n++) {
    const answer = await gate.send({ url: `http://free.test/${n}`, body: '{}' });
    const id = answer.header('x-gate-intent-id');
    assert.equal((await gate.api('GET', `/v1/intents/${id}`)).body['status'], 'succeeded');
  }
});

test('the answer to a replay is kept though another client asked to wait for the same request', async () => {
  const url = 'http://asks.test/replayed';
  const first = await gate.send({ url, headers: ['X-Gate-Replay: true'], body: '{}' });
  const id = String(first.json()['intentId']);
  const waiter = await gate.send({ url, headers: ['X-Gate-Wait: true'], body: '{}' });
  assert.equal(waiter.status, 202);
  assert.ok(waiter.header('location')?.endsWith(`${id}/response`));
  await gate.approve(id);
  await until(async () => (await gate.api('GET', `/v1/intents/${id}/response`)).text === 'ok');
});

test('a key that was revoked while its client was held gets neither forward nor answer', async () => {
  const other = await gate.api('POST', '/v1/agents/register', { name: 'held-then-revoked' });
  const client = gate.client();
  const request = { url: 'http://asks.test/revoked', headers: ['X-Gate-Wait: true'], body: '{}' };
  client.send(wire({ ...request, key: other.body['apiKey'] }));
  await until(async () => (await gate.api('GET', '/v1/proxy/held')).body['held'].length === 1);
  const [held] = (await gate.api('GET', '/v1/proxy/held')).body['held'];
  const { keys } = (await gate.api('GET', '/v1/keys')).body;
  const key = keys.find(({ principal }: any) => principal === other.body['agentId']);
  const n = upstream.requests.length;
  await gate.api('POST', `/v1/keys/${key.id}/revoke`, {});
  await gate.approve(held.intentId);
  assert.equal((await client.answer()).status, 407);
  assert.equal(upstream.requests.length, n);
});

test('I9: the key for Gate goes no further, wherever the client put it besides', async () => {
  const n = upstream.requests.length;
  const basic = Buffer.from(`user:${gate.agentKey}`).toString('base64');
  const places: readonly (readonly [string, readonly string[]])[] = [
    ['http://free.test/x', [`Authorization: Bearer ${gate.agentKey}`]],
    ['http://free.test/x', [`X-Api-Key: ${gate.agentKey}`]],
    ['http://free.test/x', [`Authorization: Basic ${basic}`]],
    [`http://free.test/x?key=${gate.agentKey}`, []],
  ];
  for (const [url, headers] of places) {
    const answer = await gate.send({ url, headers, body: '{}' });
    assert.equal(answer.status, 400, headers[0] ?? url);
    assert.ok(!answer.body.includes(gate.agentKey));
  }
  assert.equal(upstream.requests.length, n);
});

test('J20: nothing of a stranger’s acts on the terminal of the one who decides, nor in an export', () => {
  const hostile = 'text/plain; a=\u009b31mEVIL\u009d0;pwn\u009c\u202e\u001b]8;;';
  assert.doesNotMatch(table([[hostile, 'b']]), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  const line = writeLine({ ...event, actor: hostile });
  assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202e]/);
  assert.equal(readLine(line)?.actor, hostile);
});

const event = {
  seq: 1,
  at: 1_000,
  type: 'approved',
  intent: null,
  actor: 'system',
  actorId: null,
  metadata: '{}',
  leaf: '0'.repeat(64),
  link: '1'.repeat(64),
  mac: '2'.repeat(64),
} as const;

test('L13: a line that says anything twice, more, or in another way is no event of the log', () => {
  const line = writeLine(event);
  assert.deepEqual(readLine(line), event);
  for (const forged of [
    line.replace('{"seq"', '{"actor":"mallory","eventType":"rejected","seq"'),
    line.replace('{"seq"', '{"note":"approved by alice","seq"'),
    line.replace('.000Z', '.0009Z'),
    line.replace('{"seq":1', '{"seq":1.0'),
    ` ${line}`,
  ]) {
    assert.equal(readLine(forged), null, forged);
  }
});

test('while registration is open for the first agent alone, ten at once are one', async () => {
  const own = await startTestGate({ policies, destinations: 'a.test: { destination: a.b }', agentKey: gate.agentKey });
  const many = Array.from({ length: 10 }, (_, n) => own.api('POST', '/v1/agents/register', { name: `a${n}` }, ''));
  const statuses = (await Promise.all(many)).map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 201).length, 1);
  await own.close();
});

test('a reserved name is reserved however it is dressed up; one that only contains it is free', async () => {
  const register = (name: string) => gate.api('POST', '/v1/agents/register', { name });
  for (const name of ['admin', ' Admin', 'аdmin', 'system\u00a0', 'w o r k e r', 'g\u0430te', 'ａｄｍｉｎ']) {
    assert.equal((await register(name)).status, 400, name);
  }
  for (const name of ['admin\u200b', 'a\u202eb', 'a\u009b31m']) assert.equal((await register(name)).status, 400, name);
  assert.equal((await register('my gate agent')).status, 201);
});

test('who may not call learns nothing of the form that a call would have', async () => {
  const answer = await gate.api('POST', `/v1/intents/int_${'0'.repeat(32)}/approve`, { foo: 1 }, '');
  assert.equal(answer.status, 401);
});

test('a reviewer sees that a header tells the upstream to act as another method', async () => {
  const headers = ['X-HTTP-Method-Override: DELETE'];
  const id = String((await gate.send({ url: 'http://asks.test/override', headers, body: '{}' })).json()['intentId']);
  assert.equal((await gate.api('GET', `/v1/intents/${id}`)).body['request'].methodOverride, 'DELETE');
});

test('bodies of held clients are in the store and not in memory', async () => {
  const size = 4 << 20;
  const clients = [];
  for (let n = 0; n < 20; n++) {
    const client = gate.client();
    clients.push(client);
    client.send(
      wire({
        url: `http://asks.test/large/${n}`,
        headers: ['X-Gate-Wait: true'],
        body: Buffer.alloc(size, n),
        key: gate.agentKey,
      }),
    );
    await until(async () => (await gate.api('GET', '/v1/proxy/held')).body['held'].length === n + 1);
  }
  const { default: v8 } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  v8.setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  await until(() => {
    collect();
    return process.memoryUsage().arrayBuffers < 10 * size;
  }, 'the memory is free');
  for (const client of clients) client.end();
});
