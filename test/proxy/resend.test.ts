import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parsed, startUpstream, type Upstream } from '../support/upstream.ts';
import { startTestGate, type TestGate } from '../support/gate.ts';

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

test('E01, E02, E05: an approval is for the request that was judged; any other is refused and the approval stands', async () => {
  const url = 'http://api.asks.test/v1/refunds?a=1&b=2';
  const headers = ['Content-Type: application/json', 'Stripe-Account: acct_1'];
  const body = '{"amount":5000}';
  const pending = await gate.send({ url, headers, body });
  assert.equal(pending.status, 202);
  assert.equal(pending.header('retry-after'), '30');
  const id = String(pending.json()['intentId']);
  assert.equal((await gate.approve(id)).status, 200);
  const named = `X-Gate-Intent-Id: ${id}`;
  const n = seen();
  const others: readonly Parameters<TestGate['send']>[0][] = [
    { url, headers, body: '{"amount":5001}' },
    { url, headers, body: '{"amount":5000} ' },
    { url: 'http://api.asks.test/v1/refunds?b=2&a=1', headers, body },
    { url: 'http://api.asks.test/v1/refunds/?a=1&b=2', headers, body },
    { url: 'http://api.asks.test/v1/Refunds?a=1&b=2', headers, body },
    { url: 'http://api.asks.test:443/v1/refunds?a=1&b=2', headers, body },
    { method: 'PUT', url, headers, body },
    { url, headers: ['Content-Type: application/json'], body },
    { url, headers: ['Content-Type: application/json', 'Stripe-Account: acct_2'], body },
    { url, headers: [...headers, 'Prefer: x'], body },
    { url, headers: [...headers, 'Authorization: Bearer x'], body },
    { url, headers: [...headers].toReversed(), body },
  ];
  for (const other of others) {
    const answer = await gate.send({ ...other, headers: [...(other.headers ?? []), named] });
    assert.equal(answer.status, 409, JSON.stringify(other));
    assert.equal(answer.json()['reason_code'], 'request_mismatch');
  }
  assert.equal(seen(), n);
  const volatileOnly = [...headers, 'User-Agent: second-try/2', 'traceparent: 00-1', 'X-Stainless-Retry-Count: 1'];
  const passed = await gate.send({ url, headers: [...volatileOnly, named], body });
  assert.equal(passed.status, 200);
  assert.equal(passed.header('x-gate-intent-id'), id);
  assert.equal(seen(), n + 1);
  assert.equal(parsed(upstream.requests[n]).body, body);
  const again = await gate.send({ url, headers: [...headers, named], body });
  assert.equal(again.json()['reason_code'], 'already_used');
  assert.equal(seen(), n + 1);
});

test('E07: an unknown intent and another agent’s are refused alike', async () => {
  const url = 'http://api.asks.test/v1/alike';
  const pending = await gate.send({ url, body: '{}' });
  const id = String(pending.json()['intentId']);
  await gate.approve(id);
  const other = await gate.api('POST', '/v1/agents/register', { name: 'other' });
  const answers = [
    await gate.send({ url, headers: [`X-Gate-Intent-Id: ${id}`], body: '{}', key: other.body['apiKey'] }),
    await gate.send({ url, headers: [`X-Gate-Intent-Id: int_${'0'.repeat(32)}`], body: '{}' }),
    await gate.send({ url, headers: ['X-Gate-Intent-Id: nonsense'], body: '{}' }),
  ];
  const shown = answers.map((answer) => ({ ...answer.json(), requestId: null }));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [403, 403, 403],
  );
  assert.deepEqual(shown[0], shown[1]);
  assert.deepEqual(shown[1], shown[2]);
});

test('E08: a hundred resends of one approved intent at once are one forward', async () => {
  const url = 'http://api.asks.test/v1/hundred';
  const pending = await gate.send({ url, body: '{"n":100}' });
  const id = String(pending.json()['intentId']);
  await gate.approve(id);
  const n = seen();
  const resend = () => gate.send({ url, headers: [`X-Gate-Intent-Id: ${id}`], body: '{"n":100}' });
  const answers = await Promise.all(Array.from({ length: 100 }, resend));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.equal(answers.filter(({ status }) => status === 409).length, 99);
  assert.equal(seen(), n + 1);
});

test('a rejected intent answers with the reviewer’s reason, named or not', async () => {
  const url = 'http://api.asks.test/v1/rejected';
  const pending = await gate.send({ url, body: '{}' });
  const id = String(pending.json()['intentId']);
  await gate.api('POST', `/v1/intents/${id}/reject`, { reason: 'wrong customer' });
  for (const headers of [[`X-Gate-Intent-Id: ${id}`], []]) {
    const answer = await gate.send({ url, headers, body: '{}' });
    assert.equal(answer.status, 403);
    assert.equal(answer.json()['reason_code'], 'rejected_by_human');
    assert.equal(answer.json()['blockReason'], 'wrong customer');
  }
});

test('an expired intent is 410, and the code says which deadline was missed', async () => {
  const expired = async (path: string, approve: 'approved' | 'undecided') => {
    const url = `http://api.asks.test/v1/${path}`;
    const id = String((await gate.send({ url, body: '{}' })).json()['intentId']);
    if (approve === 'approved') await gate.approve(id);
    gate.advanceClock(15 * 60_000 + 1);
    const answer = await gate.send({ url, headers: [`X-Gate-Intent-Id: ${id}`], body: '{}' });
    assert.equal(answer.status, 410);
    return answer.json()['reason_code'];
  };
  assert.equal(await expired('late', 'undecided'), 'approval_expired');
  assert.equal(await expired('unused', 'approved'), 'approval_unused');
});
