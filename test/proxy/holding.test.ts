import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parsed, startUpstream, type Upstream } from '../support/upstream.ts';
import { startTestGate, until, wire, type ProxyRequest, type TestGate } from '../support/gate.ts';
import type { RawAnswer, RawClient } from '../support/raw.ts';

let gate: TestGate;
let upstream: Upstream;
let serial = 0;

const policies = { asks: 'id: asks\nrequire_approval: always\nexpiry_minutes: 15\n' };

before(async () => {
  upstream = await startUpstream();
  const dial = `policy: asks, records: 1, dial: "127.0.0.1:${upstream.port}"`;
  gate = await startTestGate({
    policies,
    destinations: `
plain.test: { destination: plain.write, ${dial} }
held.test: { destination: held.write, hold: 60, ${dial} }
short.test: { destination: short.write, hold: 1, hold_max: 1, ${dial} }
sdk.test: { destination: sdk.write, hold_sdk: 60, ${dial} }
dear.test: { destination: dear.write, idempotent: true, ${dial} }
force.test: { destination: force.write, dialect: salesforce, ${dial} }
fixed.test: { destination: fixed.write, pending_status: 425, ${dial} }
apart.test: { destination: apart.write, single_flight: false, ${dial} }
`,
  });
});
after(async () => {
  await gate.close();
  await upstream.close();
  assert.deepEqual(gate.faults, []);
});

/** A path that no other test uses. */
const path = () => `/p${++serial}`;
const seen = (target: string) => upstream.requests.filter((request) => parsed(request).line.includes(` ${target} `));
const cards = async (target: string) => {
  const { body } = await gate.api('GET', '/v1/intents?limit=500');
  return body['intents'].filter(({ request }: any) => request.url.endsWith(target));
};

interface Waiting {
  readonly client: RawClient;
  readonly answer: Promise<RawAnswer>;
}

/** Sends a request whose answer is not awaited, and waits until Gate holds it. */
async function hold(request: ProxyRequest): Promise<Waiting> {
  const before = (await gate.api('GET', '/v1/proxy/held')).body['held'].length;
  const client = gate.client();
  client.send(wire({ key: gate.agentKey, body: '{}', ...request }));
  await until(async () => (await gate.api('GET', '/v1/proxy/held')).body['held'].length > before, 'it is held');
  return { client, answer: client.answer() };
}
const idOf = async (target: string): Promise<string> => (await cards(target))[0].intentId;

test('a client that knows nothing of Gate is held by the entry, approved, and gets the upstream’s answer', async () => {
  const target = path();
  const waiting = await hold({ url: `http://held.test${target}`, headers: ['X-Own: 1'] });
  const [held] = (await gate.api('GET', '/v1/proxy/held')).body['held'];
  assert.equal(held.url, `http://held.test${target}`);
  assert.equal(held.agent.name, 'test-agent');
  await gate.approve(held.intentId);
  const answer = await waiting.answer;
  assert.equal(answer.status, 200);
  assert.equal(answer.body, 'ok');
  assert.equal(seen(target).length, 1);
  assert.ok(parsed(seen(target)[0]).headers.includes('X-Own: 1'));
  assert.equal((await cards(target)).length, 1);
});

test('X-Gate-Wait holds; approved it is forwarded, rejected it is 403 with the reason', async () => {
  const [good, bad] = [path(), path()];
  const headers = ['X-Gate-Wait: true'];
  const first = await hold({ url: `http://plain.test${good}`, headers });
  const second = await hold({ url: `http://plain.test${bad}`, headers });
  await gate.api('POST', `/v1/intents/${await idOf(bad)}/reject`, { reason: 'not today' });
  await gate.approve(await idOf(good));
  assert.equal((await first.answer).status, 200);
  const refused = await second.answer;
  assert.equal(refused.status, 403);
  assert.equal(refused.json()['blockReason'], 'not today');
  assert.equal(seen(bad).length, 0);
});

test('the end of the budget is 408 for who asked to wait, the pending answer for who did not; it stays decidable', async () => {
  const [asked, unaware] = [path(), path()];
  const headers = ['X-Gate-Wait: true'];
  const late = await gate.send({ url: `http://short.test${asked}`, headers, body: '{}' });
  assert.equal(late.status, 408);
  assert.equal(late.json()['reason_code'], 'hold_timeout');
  assert.equal(late.json()['status'], 'pending_approval');
  const pending = await gate.send({ url: `http://short.test${unaware}`, body: '{}' });
  assert.equal(pending.status, 202);
  assert.equal((await gate.approve(String(late.json()['intentId']))).status, 200);
});

test('a client that speaks Gate’s headers and does not ask to wait is not held', async () => {
  const answer = await gate.send({ url: `http://held.test${path()}`, headers: ['X-Gate-Wait: false'], body: '{}' });
  assert.equal(answer.status, 202);
});

test('an SDK client is held by hold_sdk and answered 409 instead of 202; curl is neither', async () => {
  const stripe = 'User-Agent: Stripe/v1 NodeBindings/23.1.0';
  const target = path();
  const waiting = await hold({ url: `http://sdk.test${target}`, headers: [stripe] });
  await gate.approve(await idOf(target));
  assert.equal((await waiting.answer).status, 200);
  assert.equal(
    (await gate.send({ url: `http://sdk.test${path()}`, headers: ['User-Agent: curl/8'], body: '{}' })).status,
    202,
  );
  for (const agent of [
    'OpenAI/JS 7.57',
    'Anthropic/Python 2.13',
    'Boto3/1.43',
    'octokit-core.js/5',
    'twilio-python/9',
  ]) {
    const sent = await gate.send({ url: `http://plain.test${path()}`, headers: [`User-Agent: ${agent}`], body: '{}' });
    assert.equal(sent.status, 409, agent);
    assert.equal(sent.header('x-should-retry'), 'true');
  }
  assert.equal((await gate.send({ url: `http://force.test${path()}`, body: '{}' })).status, 409);
  assert.equal((await gate.send({ url: `http://fixed.test${path()}`, body: '{}' })).status, 425);
});

test('E35: a client that hangs up is not sent for; its retry with another Idempotency-Key gets through once, under the first key', async () => {
  const target = path();
  const url = `http://held.test${target}`;
  const first = await hold({ url, headers: ['Idempotency-Key: one'] });
  first.answer.catch(() => undefined);
  first.client.end();
  await until(async () => (await gate.api('GET', '/v1/proxy/held')).body['held'].length === 0);
  await gate.approve(await idOf(target));
  assert.equal(seen(target).length, 0, 'nobody is there to receive the answer');
  const second = await gate.send({ url, headers: ['Idempotency-Key: two'], body: '{}' });
  assert.equal(second.status, 200);
  assert.equal(seen(target).length, 1);
  assert.ok(parsed(seen(target)[0]).headers.includes('Idempotency-Key: one'));
  for (const key of ['one', 'two']) {
    const again = await gate.send({ url, headers: [`Idempotency-Key: ${key}`], body: '{}' });
    assert.equal(again.status, 409);
    assert.equal(again.json()['reason_code'], 'already_used');
  }
  assert.equal((await cards(target)).length, 1);
});

test('E37: an Idempotency-Key that named one request does not serve for another', async () => {
  const key = `Idempotency-Key: k${serial++}`;
  await gate.send({ url: `http://plain.test${path()}`, headers: [key], body: '{"a":1}' });
  const other = await gate.send({ url: `http://plain.test${path()}`, headers: [key], body: '{"a":2}' });
  assert.equal(other.status, 409);
  assert.equal(other.json()['reason_code'], 'idempotency_mismatch');
});

test('identical requests held together are one card and one forward: the youngest is served, the others told', async () => {
  const target = path();
  const request = { url: `http://held.test${target}` };
  const waiting = [await hold(request), await hold(request), await hold(request)];
  await gate.approve(await idOf(target));
  const answers = await Promise.all(waiting.map(({ answer }) => answer));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [409, 409, 200],
  );
  assert.equal(answers[0]?.json()['reason_code'], 'already_used');
  assert.equal(answers[0]?.header('x-gate-intent-id'), await idOf(target));
  assert.equal(seen(target).length, 1);
  assert.equal((await cards(target)).length, 1);
});

test('where the youngest has hung up, the next younger is served', async () => {
  const target = path();
  const request = { url: `http://held.test${target}` };
  const [older, younger] = [await hold(request), await hold(request)];
  younger.answer.catch(() => undefined);
  younger.client.end();
  await until(async () => (await gate.api('GET', '/v1/proxy/held')).body['held'].length === 1);
  await gate.approve(await idOf(target));
  assert.equal((await older.answer).status, 200);
});

test('X-Gate-Distinct and single_flight: false make an identical request a card of its own', async () => {
  const [target, apart] = [path(), path()];
  for (const token of ['a', 'a', 'b']) {
    await gate.send({ url: `http://plain.test${target}`, headers: [`X-Gate-Distinct: ${token}`], body: '{}' });
  }
  assert.equal((await cards(target)).length, 2);
  for (let n = 0; n < 3; n++) await gate.send({ url: `http://apart.test${apart}`, body: '{}' });
  assert.equal((await cards(apart)).length, 3);
});

test('a failed request is judged anew under its key, and the card names the first', async () => {
  const own = await startUpstream((socket) => socket.write('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'));
  const other = await startTestGate({
    policies: { free: 'id: free\nauto_approve_under: 1\n' },
    destinations: `a.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${own.port}" }`,
  });
  const request = { url: 'http://a.test/', headers: ['Idempotency-Key: k'], body: '{}' };
  const first = (await other.send(request)).header('x-gate-intent-id');
  await until(async () => (await other.api('GET', `/v1/intents/${first}`)).body['status'] === 'failed');
  const second = (await other.send(request)).header('x-gate-intent-id');
  assert.notEqual(second, first);
  assert.equal((await other.api('GET', `/v1/intents/${second}`)).body['after'], first);
  await other.close();
  await own.close();
});

test('a pending intent that expires while a client waits is 410', async () => {
  const target = path();
  const waiting = await hold({ url: `http://held.test${target}` });
  gate.advanceClock(15 * 60_000 + 1);
  const answer = await waiting.answer;
  assert.equal(answer.status, 410);
  assert.equal(answer.json()['reason_code'], 'approval_expired');
});

test('M02: a hold does not survive Gate, the request does: approved after a restart, its retry gets through once', async () => {
  const own = await startUpstream();
  const destinations = `a.test: { destination: a.b, policy: asks, hold: 60, dial: "127.0.0.1:${own.port}" }`;
  const first = await startTestGate({ policies, destinations });
  const client = first.client();
  client.send(wire({ url: 'http://a.test/', body: '{"n":1}', key: first.agentKey }));
  await until(async () => (await first.api('GET', '/v1/proxy/held')).body['held'].length === 1);
  const closing = first.stop();
  const away = await client.answer();
  assert.equal(away.status, 503);
  assert.equal(away.json()['reason_code'], 'gate_restarting');
  assert.ok(away.header('retry-after'));
  await closing;
  const second = await startTestGate({ policies, destinations, dir: first.dir, agentKey: first.agentKey });
  const [card] = (await second.api('GET', '/v1/intents')).body['intents'];
  assert.equal(card.status, 'pending_approval');
  await second.approve(card.intentId);
  assert.equal((await second.send({ url: 'http://a.test/', body: '{"n":1}' })).status, 200);
  assert.equal(own.requests.length, 1);
  await second.close();
  await first.remove();
  await own.close();
});

test('?wait answers as soon as the intent is decided', async () => {
  const pending = await gate.send({ url: `http://plain.test${path()}`, body: '{}' });
  const id = String(pending.json()['intentId']);
  const waited = gate.api('GET', `/v1/intents/${id}?wait=30`, undefined, gate.agentKey);
  await gate.approve(id);
  assert.equal((await waited).body['status'], 'approved');
  assert.equal((await gate.api('GET', `/v1/intents/${id}?wait=61`)).status, 400);
});

test('an agent sees its own held clients alone', async () => {
  const target = path();
  const waiting = await hold({ url: `http://held.test${target}` });
  const other = await gate.api('POST', '/v1/agents/register', { name: 'another' });
  const held = async (key: string) => (await gate.api('GET', '/v1/proxy/held', undefined, key)).body['held'].length;
  assert.equal(await held(gate.agentKey), 1);
  assert.equal(await held(other.body['apiKey']), 0);
  waiting.answer.catch(() => undefined);
  waiting.client.end();
});
