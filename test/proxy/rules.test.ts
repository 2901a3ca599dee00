// For each rule of a policy two requests through the proxy, alike but for the one thing the rule is about.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RawAnswer } from '../support/raw.ts';
import { startTestGate, type TestGate } from '../support/gate.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

let gate: TestGate;
let upstream: Upstream;

const overlays = `environments:
  production: { require_approval: always }
  staging: { auto_approve_under: 0 }
  development: { require_approval: never, auto_approve_under: 1, expiry_minutes: 5 }
`;
const policies = {
  free: 'id: free\nauto_approve_under: 1\n',
  listed: 'id: listed\ndestinations: [listed.write]\nauto_approve_under: 1\n',
  typed: 'id: typed\nallowed_types: [json, csv]\nauto_approve_under: 1\n',
  limited: 'id: limited\nrate_limits: { per_agent_per_hour: 7 }\nauto_approve_under: 1\n',
  daily: 'id: daily\nrate_limits: { per_agent_per_hour: 9, per_agent_per_day: 3 }\nauto_approve_under: 1\n',
  none: 'id: none\nrate_limits: { per_agent_per_hour: 0 }\nauto_approve_under: 1\n',
  fields: `id: fields
field_checks:
  - { path: amount, max: 100 }
  - { path: amount, max: 50, action: require_approval }
  - { path: currency, one_of: [USD, EUR] }
  - { path: note, max_length: 5 }
auto_approve_under: 1
`,
  words: 'id: words\nblock_if_terms: ["sue"]\nauto_approve_under: 1\n',
  asks: 'id: asks\nrequire_approval: always\nauto_approve_under: 100\nexpiry_minutes: 15\n',
  batches: 'id: batches\nauto_approve_under: 2\nrequire_approval_over: 2\n',
  zero: 'id: zero\nauto_approve_under: 0\n',
  over: 'id: over\nrequire_approval_over: 2\n',
  silent: 'id: silent\n',
  placed: `id: placed\n${overlays}`,
  inherited: `id: inherited\nrequire_approval: always\nauto_approve_under: 1\n${overlays}`,
};

before(async () => {
  upstream = await startUpstream();
  const dial = `dial: "127.0.0.1:${upstream.port}"`;
  const line = (host: string, keys: string) => `${host}.test: { destination: ${host}.write, ${keys}, ${dial} }\n`;
  const one = (host: string, policy = host) => line(host, `policy: ${policy}, records: 1`);
  gate = await startTestGate({
    policies,
    destinations: [
      ...['free', 'listed', 'typed', 'limited', 'daily', 'none', 'fields', 'words', 'asks', 'over', 'silent'].map(
        (host) => one(host),
      ),
      one('unlisted', 'listed'),
      one('nobody', 'missing'),
      line('unjudged', 'records: 1'),
      line('batches', 'policy: batches, extract_records: items'),
      line('zero', 'policy: zero, extract_records: items'),
      one('one', 'batches'),
      line('uncounted', 'policy: free'),
      one('placed'),
      line('live', 'policy: placed, records: 1, environment: production'),
      line('dev', 'policy: placed, records: 1, environment: development'),
      line('inherited', 'policy: inherited, records: 1, environment: development'),
      line('strange', 'policy: placed, records: 1, environment: elsewhere'),
      line('plain', 'policy: free, records: 1, environment: elsewhere'),
    ].join(''),
  });
});
after(async () => {
  await gate.close();
  await upstream.close();
  assert.deepEqual(gate.faults, []);
});

const json = 'Content-Type: application/json';
let distinct = 0;
const send = (
  host: string,
  body = '{}',
  headers: readonly string[] = [json],
  key = gate.agentKey,
): Promise<RawAnswer> =>
  gate.send({ url: `http://${host}.test/`, body, key, headers: [...headers, `X-Gate-Distinct: ${++distinct}`] });

async function passes(answer: Promise<RawAnswer>): Promise<void> {
  const n = upstream.requests.length;
  const { status, body } = await answer;
  assert.equal(status, 200, body);
  assert.equal(upstream.requests.length, n + 1);
}

async function ends(answer: Promise<RawAnswer>, how: string): Promise<RawAnswer> {
  const n = upstream.requests.length;
  const found = await answer;
  const { status, reason_code: reason } = found.json();
  assert.equal(`${found.status} ${String(status)} ${String(reason)}`, how);
  assert.equal(upstream.requests.length, n);
  return found;
}

/** An agent as an admin lays it down; its key. */
async function agentWith(about: object): Promise<string> {
  const made = await gate.api('POST', '/v1/agents/register', { name: `agent ${++distinct}`, ...about });
  assert.equal(made.status, 201, made.text);
  return made.body['apiKey'];
}

const blocked = (reason: string) => `403 blocked ${reason}`;
const pending = (reason: string) => `202 pending_approval ${reason}`;
const manual = pending('manual_review_required');

test('agent permitted: an agent with a list reaches no other destination and no other policy', async () => {
  const destinations = await agentWith({ allowed_destinations: ['free.write'] });
  await passes(send('free', '{}', [json], destinations));
  await ends(send('words', '{}', [json], destinations), blocked('agent_not_permitted'));
  const allowed = await agentWith({ allowed_policies: ['free'] });
  await passes(send('free', '{}', [json], allowed));
  await ends(send('words', '{}', [json], allowed), blocked('agent_not_permitted'));
});

test('policy exists: what no policy judges is blocked', async () => {
  await passes(send('free'));
  await ends(send('nobody'), blocked('policy_not_found'));
  await ends(send('unjudged'), blocked('policy_not_found'));
});

test('destinations: a policy judges those that it lists alone', async () => {
  await passes(send('listed'));
  await ends(send('unlisted'), blocked('destination_not_allowed'));
});

test('allowed_types: by what is declared and by what it is', async () => {
  await passes(send('typed', '{"a":1}'));
  await passes(send('typed', '{"a":1}', ['Content-Type: text/plain']));
  await passes(send('typed', 'a,b\n1,2\n', ['Content-Type: text/csv']));
  await ends(
    send('typed', '{"a":1}', ['Content-Type: application/x-www-form-urlencoded']),
    blocked('type_not_allowed'),
  );
  await ends(send('typed', 'hello', ['Content-Type: text/plain']), blocked('type_not_allowed'));
});

test('rate_limits: of a hundred requests at once exactly as many as allowed pass', async () => {
  const n = upstream.requests.length;
  const answers = await Promise.all(Array.from({ length: 100 }, () => send('limited')));
  const of = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
  assert.deepEqual([of(200), of(429)], [7, 93]);
  assert.equal(upstream.requests.length, n + 7);
  const refused = answers.find(({ status }) => status === 429);
  assert.equal(refused?.json()['reason_code'], 'rate_limited');
  assert.match(refused?.header('retry-after') ?? '', /^\d+$/);
  await passes(send('limited', '{}', [json], await agentWith({})));
  await ends(send('none'), '429 blocked rate_limited');
});

test('rate_limits: what was counted leaves the hour and the day behind it', async () => {
  for (let count = 0; count < 3; count++) await passes(send('daily'));
  await ends(send('daily'), '429 blocked rate_limited');
  gate.advanceClock(3_600_001);
  await ends(send('daily'), '429 blocked rate_limited');
  await passes(send('limited'));
  gate.advanceClock(23 * 3_600_000);
  await passes(send('daily'));
});

test('field_checks: block, ask and pass, in JSON, forms and multipart bodies alike', async () => {
  const multipart = (amount: string) =>
    `--b\r\nContent-Disposition: form-data; name="amount"\r\n\r\n${amount}\r\n--b--\r\n`;
  for (const sendAmount of [
    (amount: string) => send('fields', `{"amount":${amount}}`),
    (amount: string) => send('fields', `amount=${amount}`, ['Content-Type: application/x-www-form-urlencoded']),
    (amount: string) => send('fields', multipart(amount), ['Content-Type: multipart/form-data; boundary=b']),
  ]) {
    await passes(sendAmount('50'));
    await ends(sendAmount('50.00000000000000000001'), pending('field_check_failed'));
    await ends(sendAmount('100'), pending('field_check_failed'));
    await ends(sendAmount('100.00000000000000000001'), blocked('field_check_failed'));
  }
  await passes(send('fields', '{"currency":"USD","note":"short"}'));
  await ends(send('fields', '{"currency":"usd"}'), blocked('field_check_failed'));
  const long = await ends(send('fields', '{"note":"longer"}'), blocked('field_check_failed'));
  assert.equal(long.json()['blockReason'], 'Field "note" fails "max_length"');
});

test('block_if_terms: whole words', async () => {
  await passes(send('words', '{"body":"Thank you — your issue has been resolved."}'));
  const answer = await ends(send('words', '{"body":"we will sue you"}'), blocked('blocked_term_detected'));
  assert.equal(answer.json()['blockReason'], 'Payload contains blocked term: "sue"');
});

test('require_approval: always asks, whatever the count', async () => {
  await passes(send('free'));
  await ends(send('asks'), manual);
});

test('risk tier restricted: every write of the agent asks', async () => {
  await passes(send('free', '{}', [json], await agentWith({ riskTier: 'elevated' })));
  const restricted = await agentWith({ riskTier: 'restricted' });
  await ends(send('free', '{}', [json], restricted), manual);
  await ends(send('words', '{"a":"sue"}', [json], restricted), blocked('blocked_term_detected'));
});

test('thresholds: up to auto_approve_under passes, over require_approval_over asks, and 0 is a threshold', async () => {
  await passes(send('batches', '{"items":[1,2]}'));
  await ends(send('batches', '{"items":[1,2,3]}'), pending('record_threshold_exceeded'));
  await passes(send('zero', '{"items":[]}'));
  await ends(send('zero', '{"items":[1]}'), manual);
  await passes(send('one'));
});

test('a count that nobody knows satisfies no threshold', async () => {
  await ends(send('batches', '{"rows":[1]}'), manual);
  await ends(send('uncounted'), manual);
  await ends(send('over'), manual);
});

test('default: what no rule decides asks', async () => {
  await ends(send('silent'), manual);
});

test('environments: of the agent, of the destination, and where both, the stricter', async () => {
  const production = await agentWith({ environment: 'production' });
  const development = await agentWith({ environment: 'development' });
  const unnamed = await agentWith({ environment: 'elsewhere' });
  await passes(send('placed', '{}', [json], development));
  await ends(send('placed', '{}', [json], production), manual);
  await passes(send('dev'));
  await ends(send('live'), manual);
  await ends(send('dev', '{}', [json], production), manual);
  await ends(send('live', '{}', [json], development), manual);
  await passes(send('dev', '{}', [json], development));
  await ends(send('placed', '{}', [json], unnamed), manual);
  await ends(send('strange', '{}', [json], development), manual);
  await passes(send('plain'));
});

test('environments: without one the base policy judges, and "never" takes an inherited "always" away', async () => {
  await ends(send('placed'), manual);
  await passes(send('inherited'));
});

test('expiry: the policy’s minutes, an overlay’s instead, sixty without', async () => {
  const minutes = async (host: string, key = gate.agentKey) => {
    const answer = await ends(send(host, '{}', [json], key), manual);
    const intent = (await gate.api('GET', `/v1/intents/${String(answer.json()['intentId'])}`)).body;
    return (Date.parse(intent['expiresAt']) - Date.parse(intent['createdAt'])) / 60_000;
  };
  assert.equal(await minutes('asks'), 15);
  assert.equal(await minutes('silent'), 60);
});
