import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { before, test } from 'node:test';
import { crashLoop, type Evidence } from './loop.ts';

const seed = Number(process.env['GATE_CRASH_SEED'] ?? randomInt(2 ** 32));
const kills = Number(process.env['GATE_CRASH_KILLS'] ?? 50);

let found: Evidence;

before(async () => {
  process.stdout.write(`kill -9 under load: GATE_CRASH_SEED=${seed} GATE_CRASH_KILLS=${kills}\n`);
  found = await crashLoop(seed, kills);
  process.stdout.write(`${found.asked.length} requests, ${found.received.size} of them at the upstream\n`);
});

const bodyOf = (sha256: string) => found.received.get(sha256) ?? 0;
const intentsOf = () => new Map(found.intents.map((intent) => [intent.intentId, intent]));

test('M07, I2: whatever is killed when, the upstream sees no request twice', () => {
  const twice = [...found.received].filter(([, count]) => count > 1);
  assert.deepEqual(twice, []);
});

test('M07, I1: whatever the upstream saw belongs to one intent, and its claim was on record', () => {
  const known = new Map(found.intents.map(({ payload, intentId }) => [payload.sha256, intentId]));
  for (const sha256 of found.received.keys()) {
    const intent = known.get(sha256);
    assert.ok(intent !== undefined, `no intent has the body ${sha256}`);
    assert.ok(found.trails.get(intent)?.includes('execution_requested'), `no claim of ${intent} is on record`);
  }
  assert.equal(known.size, found.intents.length, 'no body has two intents');
});

test('M05: an intent is succeeded, failed or unknown where the upstream saw its request, and nothing else', () => {
  for (const { intentId, status, upstreamStatus, payload } of found.intents) {
    const count = bodyOf(payload.sha256);
    const isAnswered = status === 'succeeded' || (status === 'failed' && upstreamStatus !== null);
    if (count === 1) assert.ok(isAnswered || status === 'unknown', `${intentId} was sent and is ${status}`);
    else assert.ok(!isAnswered, `${intentId} was not sent and is ${status}`);
  }
});

test('M04: a claim without an outcome is unknown after the start, and nothing stays under way', () => {
  const ends = ['execution_succeeded', 'execution_failed', 'execution_unknown'];
  for (const { intentId, status } of found.intents) {
    const trail = found.trails.get(intentId) ?? [];
    assert.notEqual(status, 'scheduled', intentId);
    const [claims, outcomes] = [
      trail.filter((type) => type === 'execution_requested'),
      trail.filter((type) => ends.includes(type)),
    ];
    assert.equal(claims.length, outcomes.length, `${intentId}: ${trail.join(' ')}`);
    assert.ok(claims.length <= 1, `${intentId}: ${trail.join(' ')}`);
  }
});

test('M07, I3: what an agent was told is what is on record', () => {
  const intents = intentsOf();
  for (const { told, intent, isSettled, sha256 } of found.asked) {
    if (intent === null) continue;
    const stored = intents.get(intent);
    assert.ok(stored !== undefined, `intent ${intent}, of which an agent was told, is lost`);
    assert.equal(stored.payload.sha256, sha256);
    // The answer passes through before its outcome is on record, and only then may a kill come between.
    const mayBeUnknown = isSettled ? [] : ['unknown'];
    if (told === 'ok')
      assert.ok(['succeeded', ...mayBeUnknown].includes(stored.status), `${intent} is ${stored.status}`);
    if (told === 'failed')
      assert.ok(['failed', ...mayBeUnknown].includes(stored.status), `${intent} is ${stored.status}`);
    if (told === 'unknown') assert.equal(stored.status, 'unknown');
    if (told === 'ok' || told === 'failed') assert.equal(bodyOf(sha256), 1);
  }
});

test('M02: no approval of which a person was told is lost', () => {
  for (const { isApproved, intent } of found.asked) {
    if (isApproved)
      assert.ok(found.trails.get(intent ?? '')?.includes('approved'), `the approval of ${intent} is lost`);
  }
});

test('M07: the audit verifies and the database is whole', () => {
  assert.equal(found.audit.exitCode, 0, found.audit.output);
  assert.deepEqual(found.integrity, ['ok']);
});

test('the load was one: agents of each kind were told of each kind of end', () => {
  for (const kind of ['once', 'keyed', 'approved'] as const) {
    assert.ok(
      found.asked.some((asked) => asked.kind === kind && asked.told === 'ok'),
      kind,
    );
  }
  for (const told of ['nothing', 'failed', 'unknown'] as const) {
    assert.ok(
      found.asked.some((asked) => asked.told === told),
      told,
    );
  }
});
