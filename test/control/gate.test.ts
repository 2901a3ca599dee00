import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { startTestGate, temporaryDir, type TestGate } from '../support/gate.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

let upstream: Upstream;

before(async () => {
  upstream = await startUpstream();
});
after(() => upstream.close());

const asks = 'id: asks\nrequire_approval: always\n';
const url = 'http://a.test/v1/things';

function start(dir: string, policy: string, line = `dial: "127.0.0.1:${upstream.port}"`): Promise<TestGate> {
  return startTestGate({
    dir,
    policies: { asks: policy },
    destinations: `a.test: { destination: a.b, policy: asks, records: 1, ${line} }`,
  });
}

async function inDir(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = temporaryDir();
  try {
    await body(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A request that a person has approved, of an agent whose key outlives the Gate it was given by. */
async function approved(gate: TestGate): Promise<{ id: string; key: string; headers: readonly string[] }> {
  const id = String((await gate.send({ url, body: '{}' })).json()['intentId']);
  assert.equal((await gate.approve(id)).status, 200);
  return { id, key: gate.agentKey, headers: [`X-Gate-Intent-Id: ${id}`] };
}

test('E21: an approval does not outlive the policy that would now block its request', () =>
  inDir(async (dir) => {
    const first = await start(dir, asks);
    const { id, key, headers } = await approved(first);
    await first.close();
    const second = await start(dir, `${asks}destinations: [other.write]\n`);
    const n = upstream.connections;
    const answer = await second.send({ url, key, headers, body: '{}' });
    assert.equal(answer.status, 409);
    assert.equal(answer.json()['reason_code'], 'superseded');
    assert.equal(upstream.connections, n);
    const { status, reason_code: reason } = (await second.api('GET', `/v1/intents/${id}`)).body;
    assert.deepEqual([status, reason], ['blocked', 'superseded']);
    await second.close();
  }));

test('an approval does not outlive the destination that it was for', () =>
  inDir(async (dir) => {
    const elsewhere = await startUpstream();
    const first = await start(dir, asks);
    const { key, headers } = await approved(first);
    await first.close();
    const second = await start(dir, asks, `dial: "127.0.0.1:${elsewhere.port}"`);
    const answer = await second.send({ url, key, headers, body: '{}' });
    assert.equal(answer.json()['reason_code'], 'superseded');
    assert.equal(elsewhere.connections, 0);
    await second.close();
    await elsewhere.close();
  }));

test('M03, I5: an approval outlives Gate, and is used once', () =>
  inDir(async (dir) => {
    const first = await start(dir, asks);
    const { key, headers } = await approved(first);
    await first.close();
    const second = await start(dir, asks);
    const n = upstream.requests.length;
    assert.equal((await second.send({ url, key, headers, body: '{}' })).status, 200);
    assert.equal((await second.send({ url, key, headers, body: '{}' })).json()['reason_code'], 'already_used');
    assert.equal(upstream.requests.length, n + 1);
    await second.close();
  }));

test('E05: another request under the id of one that waits is refused, and that is on record', () =>
  inDir(async (dir) => {
    const gate = await start(dir, asks);
    const id = String((await gate.send({ url, body: '{}' })).json()['intentId']);
    const other = await gate.send({ url, headers: [`X-Gate-Intent-Id: ${id}`], body: '{"amount":9}' });
    assert.equal(other.status, 409);
    assert.equal(other.json()['reason_code'], 'request_mismatch');
    const trail = (await gate.api('GET', `/v1/intents/${id}/audit`)).text;
    assert.match(trail, /"eventType":"refused".*"request_mismatch"/);
    await gate.close();
  }));
