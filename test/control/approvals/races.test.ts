import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isRefusal } from '../../../core/reasons.ts';
import type { IntentEvent } from '../../../core/lifecycle.ts';
import { agent, bindingDigest, executionId, hold, intentId, reviewer, submission } from '../../support/intents.ts';
import { openTestStore, type TestStore } from '../../support/store.ts';

let opened: TestStore;
before(async () => {
  opened = await openTestStore();
});
after(() => opened.close());

test('E10, E11: of approve, reject, revoke, expire and claim at once, a thousand times, the outcome is one and at most one claim', async () => {
  const { store } = opened;
  const winners = new Set<string>();
  for (let n = 1; n <= 1_000; n++) {
    const id = intentId(n);
    const made = submission(n, hold(60_000));
    await store.submit(made);
    const by = { name: agent.name, id: agent.id };
    const claim = (execution: number): IntentEvent => ({
      type: 'claim',
      claim: { by, fingerprint: made.fingerprint, bindingDigest, execution: executionId(execution) },
    });
    const events: IntentEvent[] = [
      { type: 'approve', by: reviewer, reason: null, digest: null },
      { type: 'reject', by: reviewer, reason: 'no' },
      { type: 'revoke', by: reviewer, reason: null },
      { type: 'expire' },
      claim(2 * n),
      claim(2 * n + 1),
    ];
    // Another order each round, all in the same turn.
    const order = events
      .map((event, index) => [((index + 1) * (n * 7_919 + 13)) % 101, event] as const)
      .toSorted(([a], [b]) => a - b);
    await Promise.all(order.map(([, event]) => store.advance(id, event)));
    const record = await store.intent(id);
    const trail = (await store.events({ intent: id, after: 0, type: null, limit: 100 })).map(({ type }) => type);
    const count = (type: string) => trail.filter((found) => found === type).length;
    assert.ok(count('execution_requested') <= 1);
    assert.ok(count('rejected') + count('revoked') + count('execution_requested') <= 1, trail.join(' '));
    if (count('execution_requested') === 1) assert.equal(record?.intent.status, 'scheduled');
    if (count('rejected') === 1) assert.ok(!trail.includes('approved'));
    for (const type of ['rejected', 'revoked', 'execution_requested']) if (count(type) === 1) winners.add(type);
  }
  assert.equal(winners.size, 3, 'each of them won at some time');
});

test('E34: a claim of another agent, or with another fingerprint or binding, loses whatever the moment', async () => {
  const { store } = opened;
  const n = 5_000;
  const made = submission(n, hold());
  await store.submit(made);
  await store.advance(intentId(n), { type: 'approve', by: reviewer, reason: null, digest: null });
  const good = {
    by: { name: agent.name, id: agent.id },
    fingerprint: made.fingerprint,
    bindingDigest,
    execution: executionId(1),
  };
  const wrong = [
    { ...good, by: { name: 'x', id: `agt_${'d'.repeat(32)}` as const } },
    { ...good, fingerprint: 'f'.repeat(64) },
    { ...good, bindingDigest: 'f'.repeat(64) },
  ];
  for (const claim of wrong) assert.ok(isRefusal(await store.advance(intentId(n), { type: 'claim', claim })));
  assert.ok(!isRefusal(await store.advance(intentId(n), { type: 'claim', claim: good })));
});

test('values of Authorization, Cookie and X-Api-Key are erased when the intent ends, and only then', async () => {
  const { store } = opened;
  const n = 6_000;
  const headers = [
    ['Authorization', 'Bearer sk_live'],
    ['cookie', 'session=1'],
    ['X-API-Key', 'k'],
    ['X-Other', 'kept'],
  ] as const;
  await store.submit(submission(n, hold(), { payload: { headers, bytes: Buffer.from('{}') } }));
  const stored = async () => (await store.request(intentId(n)))?.headers;
  assert.deepEqual(await stored(), headers);
  await store.advance(intentId(n), { type: 'reject', by: reviewer, reason: null });
  assert.deepEqual(await stored(), [
    ['Authorization', ''],
    ['cookie', ''],
    ['X-API-Key', ''],
    ['X-Other', 'kept'],
  ]);
});
