import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startUpstream } from '../support/upstream.ts';
import { startTestGate, until, wire } from '../support/gate.ts';

const policies = { free: 'id: free\nauto_approve_under: 1\n' };

test('outcome: an answer below 400 succeeds, from 400 on it fails, and its status is in the event', async () => {
  const own = await startUpstream((socket, request) => {
    const status = /^POST \/(\d+)/.exec(request.toString('latin1'))?.[1] ?? '200';
    socket.write(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`);
  });
  const destinations = `a.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${own.port}" }`;
  const other = await startTestGate({ policies, destinations });
  for (const [status, word] of [
    [201, 'succeeded'],
    [302, 'succeeded'],
    [400, 'failed'],
    [500, 'failed'],
  ] as const) {
    const answer = await other.send({ url: `http://a.test/${status}`, body: '{}' });
    assert.equal(answer.status, status);
    const id = answer.header('x-gate-intent-id') ?? '';
    await until(async () => (await other.api('GET', `/v1/intents/${id}`)).body['status'] === word, word);
    const trail = (await other.api('GET', `/v1/intents/${id}/audit`)).text;
    assert.ok(trail.includes(`"status":${status}`));
  }
  assert.equal(own.requests.length, 4);
  await other.close();
  await own.close();
});

test('M14, E49: no byte sent leaves the approval standing; a byte sent and no answer is unknown and never sent again', async () => {
  const rude = await startUpstream((socket) => socket.destroy());
  const dead = await startUpstream();
  await dead.close();
  const destinations = `
rude.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${rude.port}" }
dead.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${dead.port}" }`;
  const own = await startTestGate({ policies, destinations });
  const lost = await own.send({ url: 'http://rude.test/', body: '{}' });
  assert.equal(lost.status, 502);
  assert.equal(lost.json()['status'], 'unknown');
  assert.equal(lost.json()['reason_code'], 'outcome_unknown');
  assert.equal(rude.requests.length, 1);
  const lostId = String(lost.json()['intentId']);
  const resent = await own.send({ url: 'http://rude.test/', headers: [`X-Gate-Intent-Id: ${lostId}`], body: '{}' });
  assert.equal(resent.json()['reason_code'], 'already_used');
  assert.equal(rude.requests.length, 1);
  const resolved = await own.api('POST', `/v1/intents/${lostId}/resolve`, { outcome: 'sent', note: 'seen there' });
  assert.equal(resolved.body['status'], 'succeeded');

  const unsent = await own.send({ url: 'http://dead.test/', body: '{}' });
  assert.equal(unsent.status, 502);
  assert.equal(unsent.json()['reason_code'], 'upstream_unreachable');
  const id = String(unsent.json()['intentId']);
  assert.equal((await own.api('GET', `/v1/intents/${id}`)).body['status'], 'approved');
  const again = () => own.send({ url: 'http://dead.test/', headers: [`X-Gate-Intent-Id: ${id}`], body: '{}' });
  await again();
  await again();
  assert.equal((await own.api('GET', `/v1/intents/${id}`)).body['status'], 'failed');
  await own.close();
  await rude.close();
});

test('G11: an answer that breaks off is cut off for the client too, and unknown on record', async () => {
  const own = await startUpstream((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    setImmediate(() => socket.destroy());
  });
  const destinations = `a.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${own.port}" }`;
  const other = await startTestGate({ policies, destinations });
  const client = other.client();
  client.send(wire({ url: 'http://a.test/', body: '{}', key: other.agentKey }));
  const text = await client.closed();
  assert.ok(text.includes('half') && text.length < 600);
  const [intent] = (await other.api('GET', '/v1/intents')).body['intents'];
  assert.equal(intent.status, 'unknown');
  await other.close();
  await own.close();
});

test('M16: a write whose client is gone is drained and recorded, not broken off', async () => {
  let release: () => void = () => undefined;
  const own = await startUpstream((socket) => {
    release = () => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const destinations = `a.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${own.port}" }`;
  const other = await startTestGate({ policies, destinations });
  const client = other.client();
  client.send(wire({ url: 'http://a.test/', body: '{}', key: other.agentKey }));
  await until(() => own.requests.length === 1);
  client.end();
  release();
  const status = async () => (await other.api('GET', '/v1/intents')).body['intents'][0].status;
  await until(async () => (await status()) === 'succeeded');
  await other.close();
  await own.close();
});
