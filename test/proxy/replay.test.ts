import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parsed, startUpstream, type Upstream } from '../support/upstream.ts';
import { startTestGate, until, type TestGate } from '../support/gate.ts';

let gate: TestGate;
let upstream: Upstream;

const policies = {
  asks: 'id: asks\nrequire_approval: always\n',
  free: 'id: free\nauto_approve_under: 1\n',
};
const replay = ['X-Gate-Replay: true'];

before(async () => {
  upstream = await startUpstream((socket, request) => {
    const status = /^POST \/(\d+)/.exec(request.toString('latin1'))?.[1] ?? '201';
    socket.write(
      `HTTP/1.1 ${status} X\r\nX-Up: caf\xe9\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nkept`,
      'latin1',
    );
  });
  const dial = `dial: "127.0.0.1:${upstream.port}"`;
  gate = await startTestGate({
    policies,
    destinations: `
asks.test: { destination: a.b, policy: asks, records: 1, ${dial} }
free.test: { destination: a.c, policy: free, records: 1, ${dial} }`,
  });
});
after(async () => {
  await gate.close();
  await upstream.close();
  assert.deepEqual(gate.faults, []);
});

const response = (id: string, of = gate) => of.api('GET', `/v1/intents/${id}/response`, undefined, of.agentKey);

test('a replay is accepted at once, sent by Gate when a person approves, and its answer kept to be fetched', async () => {
  const n = upstream.requests.length;
  const sent = {
    url: 'http://asks.test/x?y=1',
    headers: [...replay, 'X-Own: 1', 'Idempotency-Key: k1'],
    body: '{"a":1}',
  };
  const accepted = await gate.send(sent);
  assert.equal(accepted.status, 202);
  const id = String(accepted.json()['intentId']);
  assert.equal(accepted.header('location'), `${gate.controlUrl}/v1/intents/${id}/response`);
  assert.equal((await response(id)).status, 202);
  await gate.approve(id);
  await until(async () => (await gate.api('GET', `/v1/intents/${id}`)).body['status'] === 'succeeded');
  assert.equal(upstream.requests.length, n + 1);
  const received = parsed(upstream.requests[n]);
  assert.equal(received.line, 'POST /x?y=1 HTTP/1.1');
  assert.equal(received.body, '{"a":1}');
  assert.ok(received.headers.includes('X-Own: 1') && received.headers.includes('Idempotency-Key: k1'));
  const kept = await response(id);
  assert.equal(kept.status, 201);
  assert.equal(kept.text, 'kept');
  assert.equal(kept.headers.get('x-gate-kept'), '1');
  assert.equal(kept.headers.get('x-gate-intent-id'), id);
  assert.equal(kept.headers.get('x-up'), 'caf\xe9');
  assert.equal((await response(id)).text, 'kept', 'it can be fetched again');
});

test('a replay that the policy allows is sent without anyone being asked', async () => {
  const accepted = await gate.send({ url: 'http://free.test/y', headers: replay, body: '{}' });
  assert.equal(accepted.status, 202);
  const id = String(accepted.json()['intentId']);
  await until(async () => (await response(id)).status === 201);
});

test('an upstream’s refusal is kept as it came, and the intent failed', async () => {
  const accepted = await gate.send({ url: 'http://free.test/422', headers: replay, body: '{}' });
  const id = String(accepted.json()['intentId']);
  await until(async () => (await response(id)).status === 422);
  assert.equal((await gate.api('GET', `/v1/intents/${id}`)).body['status'], 'failed');
});

test('a rejected replay answers 403, an expired one 410, one that was not kept 404', async () => {
  const rejected = String(
    (await gate.send({ url: 'http://asks.test/r', headers: replay, body: '{}' })).json()['intentId'],
  );
  await gate.api('POST', `/v1/intents/${rejected}/reject`, { reason: 'no' });
  assert.equal((await response(rejected)).status, 403);
  const plain = String((await gate.send({ url: 'http://asks.test/n', body: '{}' })).json()['intentId']);
  assert.equal((await response(plain)).body['error'], 'response_not_kept');
  const late = String((await gate.send({ url: 'http://asks.test/e', headers: replay, body: '{}' })).json()['intentId']);
  gate.advanceClock(3_600_001);
  await until(async () => (await response(late)).status === 410);
});

test('another agent does not get the answer', async () => {
  const id = String((await gate.send({ url: 'http://free.test/z', headers: replay, body: '{}' })).json()['intentId']);
  const other = await gate.api('POST', '/v1/agents/register', { name: 'other' });
  const answer = await gate.api('GET', `/v1/intents/${id}/response`, undefined, other.body['apiKey']);
  assert.equal(answer.status, 403);
});

test('while no byte has left it is tried again, three times in all', async () => {
  const dead = await startUpstream();
  await dead.close();
  const own = await startTestGate({
    policies,
    destinations: `a.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${dead.port}" }`,
    replayDelaysMs: [0, 10, 20],
  });
  const id = String((await own.send({ url: 'http://a.test/', headers: replay, body: '{}' })).json()['intentId']);
  await until(async () => (await own.api('GET', `/v1/intents/${id}`)).body['status'] === 'failed');
  const trail: any[] = (await own.api('GET', `/v1/intents/${id}`)).body['auditTrail'];
  assert.equal(trail.filter(({ eventType }) => eventType === 'execution_failed').length, 3);
  assert.equal((await response(id, own)).status, 502);
  await own.close();
});

test('a byte that left without an answer is unknown and not tried again', async () => {
  const rude = await startUpstream((socket) => socket.destroy());
  const own = await startTestGate({
    policies,
    destinations: `a.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${rude.port}" }`,
    replayDelaysMs: [0, 10, 20],
  });
  const id = String((await own.send({ url: 'http://a.test/', headers: replay, body: '{}' })).json()['intentId']);
  await until(async () => (await own.api('GET', `/v1/intents/${id}`)).body['status'] === 'unknown');
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(rude.requests.length, 1);
  assert.equal((await response(id, own)).status, 502);
  await own.close();
  await rude.close();
});

test('what was approved before a restart is sent after it, once', async () => {
  const own = await startUpstream();
  const destinations = `a.test: { destination: a.b, policy: asks, dial: "127.0.0.1:${own.port}" }`;
  const first = await startTestGate({ policies, destinations, replayDelaysMs: [60_000] });
  const id = String((await first.send({ url: 'http://a.test/', headers: replay, body: '{}' })).json()['intentId']);
  await first.approve(id);
  await first.stop();
  assert.equal(own.requests.length, 0);
  const second = await startTestGate({ policies, destinations, dir: first.dir, agentKey: first.agentKey });
  await until(async () => (await second.api('GET', `/v1/intents/${id}`)).body['status'] === 'succeeded');
  assert.equal(own.requests.length, 1);
  await second.close();
  await first.remove();
  await own.close();
});

test('an identical request that waits on its connection does not take a replay’s place', async () => {
  const url = 'http://asks.test/same';
  const accepted = await gate.send({ url, headers: replay, body: '{}' });
  const again = await gate.send({ url, headers: replay, body: '{}' });
  assert.equal(again.json()['intentId'], accepted.json()['intentId']);
  assert.equal(again.status, 202);
});

test('an approved replay that waits for its next try is not taken by a plain request', async () => {
  const own = await startUpstream();
  const destinations = `a.test: { destination: a.b, policy: asks, dial: "127.0.0.1:${own.port}" }`;
  const waiting = await startTestGate({ policies, destinations, replayDelaysMs: [60_000] });
  const id = String((await waiting.send({ url: 'http://a.test/', headers: replay, body: '{}' })).json()['intentId']);
  await waiting.approve(id);
  assert.equal((await waiting.send({ url: 'http://a.test/', body: '{}' })).status, 202);
  assert.equal(own.requests.length, 0);
  await waiting.close();
  await own.close();
});
