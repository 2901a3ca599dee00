import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startTestGate, type TestGate } from '../../support/gate.ts';
import { startUpstream, type Upstream } from '../../support/upstream.ts';

let gate: TestGate;
let upstream: Upstream;
let reviewerKey: string;
let otherKey: string;
/** A pending intent of the test's agent. */
let intent: string;

before(async () => {
  upstream = await startUpstream();
  gate = await startTestGate({
    policies: { asks: 'id: asks\nrequire_approval: always\n' },
    destinations: `a.test: { destination: a.b, policy: asks, records: 1, dial: "127.0.0.1:${upstream.port}" }`,
  });
  reviewerKey = await keyOf({ name: 'reviewer', role: 'reviewer' });
  otherKey = await keyOf({ name: 'other' });
  intent = await propose('{"n":1}');
});
after(async () => {
  await gate.close();
  await upstream.close();
  assert.deepEqual(gate.faults, []);
});

async function keyOf(registration: object): Promise<string> {
  const { status, body } = await gate.api('POST', '/v1/agents/register', registration);
  assert.equal(status, 201);
  return body['apiKey'];
}

async function propose(body: string): Promise<string> {
  const headers = ['Content-Type: application/json'];
  return String((await gate.send({ url: 'http://a.test/v1', headers, body })).json()['intentId']);
}

const note = { outcome: 'sent', note: 'seen' };
/** Routes that are for people, and those for admins alone, with bodies that would be taken. */
const forPeople = () =>
  [
    ['POST', `/v1/intents/${intent}/approve`, {}],
    ['POST', `/v1/intents/${intent}/reject`, {}],
    ['POST', `/v1/intents/${intent}/revoke`, {}],
    ['POST', `/v1/intents/${intent}/resolve`, note],
    ['GET', `/v1/intents/${intent}/payload`, undefined],
    ['GET', '/v1/audit', undefined],
  ] as const;
const forAdmins = () =>
  [
    ['POST', `/v1/agents/${gate.agentId}/suspend`, {}],
    ['POST', `/v1/agents/${gate.agentId}/resume`, {}],
    ['POST', `/v1/agents/${gate.agentId}/revoke`, {}],
    ['POST', `/v1/agents/${gate.agentId}/rotate`, {}],
    ['GET', '/v1/keys', undefined],
    ['POST', `/v1/keys/key_${'0'.repeat(32)}/revoke`, {}],
  ] as const;
const forAll = () =>
  [
    ['GET', '/v1/intents'],
    ['GET', `/v1/intents/${intent}`],
    ['GET', `/v1/intents/${intent}/decision`],
    ['GET', `/v1/intents/${intent}/audit`],
    ['GET', '/v1/agents'],
    ['GET', `/v1/agents/${gate.agentId}`],
    ['GET', '/v1/metrics'],
  ] as const;

test('without a key, or with one that nobody has, nothing is told and nothing done', async () => {
  for (const key of ['', 'nonsense', `gate_sk_${'0'.repeat(48)}`]) {
    for (const [method, path, body] of [...forPeople(), ...forAdmins(), ...forAll()]) {
      const answer = await gate.api(method, path, body, key);
      assert.equal(answer.status, 401, `${method} ${path}`);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="gate"');
    }
  }
});

test('I7: an agent can neither decide, nor read the log, nor manage anybody', async () => {
  for (const [method, path, body] of [...forPeople(), ...forAdmins()]) {
    const answer = await gate.api(method, path, body, gate.agentKey);
    assert.equal(answer.status, 403, `${method} ${path}`);
    assert.equal(answer.body['error'], 'forbidden');
  }
  assert.equal((await gate.api('GET', `/v1/intents/${intent}`)).body['status'], 'pending_approval');
});

test('a reviewer manages nobody', async () => {
  for (const [method, path, body] of forAdmins()) {
    assert.equal((await gate.api(method, path, body, reviewerKey)).status, 403, `${method} ${path}`);
  }
});

test('an agent sees its own intents and itself, nobody else’s and nobody else', async () => {
  for (const path of ['', '/decision', '/audit']) {
    assert.equal((await gate.api('GET', `/v1/intents/${intent}${path}`, undefined, gate.agentKey)).status, 200);
    assert.equal((await gate.api('GET', `/v1/intents/${intent}${path}`, undefined, otherKey)).status, 403);
  }
  const others = await gate.api('GET', '/v1/intents', undefined, otherKey);
  assert.deepEqual(others.body['intents'], []);
  const own = await gate.api('GET', '/v1/intents', undefined, gate.agentKey);
  assert.deepEqual(
    own.body['intents'].map((found: { intentId: string }) => found.intentId),
    [intent],
  );
  const asked = await gate.api('GET', `/v1/intents?agent=${gate.agentId}`, undefined, otherKey);
  assert.equal(asked.status, 403);
  const { agents } = (await gate.api('GET', '/v1/agents', undefined, otherKey)).body;
  assert.deepEqual(
    agents.map((found: { name: string }) => found.name),
    ['other'],
  );
  assert.equal((await gate.api('GET', `/v1/agents/${gate.agentId}`, undefined, otherKey)).status, 403);
});

test('once there is an agent, only an admin registers another', async () => {
  for (const key of ['', gate.agentKey, reviewerKey]) {
    const answer = await gate.api('POST', '/v1/agents/register', { name: 'late' }, key);
    assert.ok(answer.status === 401 || answer.status === 403, String(answer.status));
  }
  assert.ok(!(await gate.api('GET', '/v1/agents')).text.includes('"late"'));
});

test('only an admin registers people, and nobody takes the names that the log uses', async () => {
  const own = await startTestGate({
    policies: { asks: 'id: asks\n' },
    destinations: 'a.test: { destination: a.b }',
    env: { GATE_REGISTRATION: 'open' },
  });
  for (const beyond of [{ role: 'admin' }, { role: 'reviewer' }, { environment: 'development' }]) {
    const answer = await own.api('POST', '/v1/agents/register', { name: 'x', ...beyond }, '');
    assert.equal(answer.status, 403, JSON.stringify(beyond));
  }
  for (const name of ['system', 'Worker', 'ADMIN']) {
    assert.equal((await own.api('POST', '/v1/agents/register', { name }, '')).body['error'], 'name_reserved');
  }
  assert.equal((await own.api('POST', '/v1/agents/register', { name: 'x', framework: 'gate' }, '')).status, 400);
  assert.equal((await own.api('POST', '/v1/agents/register', { name: 'x' }, '')).status, 201);
  await own.close();
});

test('a key that was revoked, and one that was rotated out ten minutes ago, are nobody’s', async () => {
  const { body } = await gate.api('POST', '/v1/agents/register', { name: 'rotated' });
  const use = async (key: string) => (await gate.api('GET', '/v1/metrics', undefined, key)).status;
  const next = (await gate.api('POST', `/v1/agents/${body['agentId']}/rotate`, {})).body['apiKey'];
  assert.deepEqual([await use(body['apiKey']), await use(next)], [200, 200]);
  gate.advanceClock(10 * 60_000);
  assert.deepEqual([await use(body['apiKey']), await use(next)], [401, 200]);
  const { keys } = (await gate.api('GET', '/v1/keys')).body;
  const newest = keys.find((key: { principal: string }) => key.principal === body['agentId']);
  assert.equal((await gate.api('POST', `/v1/keys/${newest.id}/revoke`, {})).status, 200);
  assert.equal(await use(next), 401);
});

test('who is suspended may nothing until resumed, and who is revoked never again', async () => {
  const { body } = await gate.api('POST', '/v1/agents/register', { name: 'stopped' });
  const set = (word: string) => gate.api('POST', `/v1/agents/${body['agentId']}/${word}`, {});
  const use = async () => (await gate.api('GET', '/v1/metrics', undefined, body['apiKey'])).status;
  await set('suspend');
  assert.equal(await use(), 401);
  await set('resume');
  assert.equal(await use(), 200);
  await set('revoke');
  assert.equal((await set('resume')).status, 403);
  assert.equal(await use(), 401);
});

test('a key is stored as its hash alone, and neither is ever shown again', async () => {
  const data = join(gate.dir, 'data');
  const files = readdirSync(data).map((name) => readFileSync(join(data, name)));
  const digits = gate.agentKey.slice('gate_sk_'.length);
  for (const form of [Buffer.from(gate.agentKey), Buffer.from(digits), Buffer.from(digits, 'hex')]) {
    assert.ok(!files.some((file) => file.includes(form)));
  }
  for (const path of ['/v1/keys', '/v1/agents', '/v1/audit']) {
    const { text } = await gate.api('GET', path);
    assert.ok(!text.includes(digits) && !text.includes('"hash"'), path);
  }
});

test('I7: a person does not decide on what an agent that acts for them proposed', async () => {
  const person = await gate.api('POST', '/v1/agents/register', { name: 'boss', role: 'reviewer' });
  const { agentId, apiKey } = person.body;
  const key = await keyOf({ name: 'assistant', person: agentId });
  const pending = await gate.send({ url: 'http://a.test/v1', body: '{"n":2}', key });
  const path = `/v1/intents/${String(pending.json()['intentId'])}`;
  const answer = await gate.api('POST', `${path}/approve`, {}, apiKey);
  assert.deepEqual([answer.status, answer.body['error']], [403, 'self_approval']);
  assert.equal((await gate.api('POST', `${path}/approve`, {}, reviewerKey)).status, 200);
});

test('E20: who approves another digest than the intent has is refused', async () => {
  const id = await propose('{"n":3}');
  const stale = await gate.api('POST', `/v1/intents/${id}/approve`, { digest: '0'.repeat(64) });
  assert.deepEqual([stale.status, stale.body['error']], [409, 'stale_view']);
  const { digest } = (await gate.api('GET', `/v1/intents/${id}`)).body;
  assert.equal((await gate.api('POST', `/v1/intents/${id}/approve`, { digest })).status, 200);
});

test('J01: a payload that is opened in a browser is saved, not run, and its view is on record', async () => {
  const headers = ['Content-Type: text/html'];
  const pending = await gate.send({ url: 'http://a.test/v1', headers, body: '<script>alert(1)</script>' });
  const path = `/v1/intents/${String(pending.json()['intentId'])}`;
  const shown = await gate.api('GET', `${path}/payload`);
  assert.equal(shown.text, '<script>alert(1)</script>');
  assert.equal(shown.headers.get('content-disposition'), 'attachment');
  assert.equal(shown.headers.get('x-content-type-options'), 'nosniff');
  assert.match(shown.headers.get('content-security-policy') ?? '', /sandbox/);
  assert.match((await gate.api('GET', `${path}/audit`)).text, /payload_viewed/);
});

test('a sign-in link that is not of this Gate gives no key', async () => {
  const answer = await gate.api('POST', '/v1/session/key', { link: '0'.repeat(48) }, '');
  assert.equal(answer.status, 401);
});
