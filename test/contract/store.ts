// The store's contract: one test per sentence of its interface, run on every adapter.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventTypes } from '../../core/audit.ts';
import type { IntentId } from '../../core/ids.ts';
import type { IntentEvent } from '../../core/lifecycle.ts';
import { isRefusal, type Refusal } from '../../core/reasons.ts';
import type { IntentRecord, Submitted } from '../../control/ports.ts';
import {
  agent,
  allow,
  bindingDigest,
  block,
  executionId,
  hold,
  intentId,
  reviewer,
  submission,
} from '../support/intents.ts';
import type { TestStore } from '../support/store.ts';

export function storeContract(adapter: string, open: () => Promise<TestStore>): void {
  let opened: TestStore;
  let next = 100;
  const fresh = () => next++;
  before(async () => {
    opened = await open();
  });
  after(() => opened.close());
  const named = (sentence: string, body: () => Promise<void>) => test(`${adapter}: ${sentence}`, body);
  const by = { name: agent.name, id: agent.id };
  const approve: IntentEvent = { type: 'approve', by: reviewer, reason: null, digest: null };
  const claimOf = (n: number, execution = n): IntentEvent => ({
    type: 'claim',
    claim: { by, fingerprint: n.toString(16).padStart(64, '0'), bindingDigest, execution: executionId(execution) },
  });
  const typesOf = async (intent: IntentId) =>
    (await opened.store.events({ intent, after: 0, type: null, limit: 100 })).map(({ type }) => type);

  named('an allowed submission with a claim is on record up to the request for its execution', async () => {
    const n = fresh();
    const made = recordOf(await opened.store.submit(submission(n, allow, { claim: executionId(n) })));
    assert.equal(made.intent.status, 'scheduled');
    const expected = ['proposed', 'policy_checked', 'approved', 'execution_requested'];
    assert.deepEqual(await typesOf(intentId(n)), expected);
  });

  named('a blocked submission says so in its trail and is never claimed', async () => {
    const n = fresh();
    const made = recordOf(await opened.store.submit(submission(n, block, { claim: executionId(n) })));
    assert.equal(made.intent.status, 'blocked');
    assert.deepEqual(await typesOf(intentId(n)), ['proposed', 'policy_checked', 'blocked']);
  });

  named('an identical request finds its pending intent', async () => {
    const n = fresh();
    await opened.store.submit(submission(n, hold()));
    const again = await opened.store.submit(submission(fresh(), hold(), { fingerprint: fingerprintOf(n) }));
    assert.ok(!isRefusal(again) && again.outcome === 'found');
    assert.equal(again.record.intent.id, intentId(n));
  });

  named('an identical request finds its approved and unused intent, and no used one', async () => {
    const n = fresh();
    await opened.store.submit(submission(n, hold()));
    mustBe(await opened.store.advance(intentId(n), approve), 'approved');
    const found = await opened.store.submit(submission(fresh(), hold(), { fingerprint: fingerprintOf(n) }));
    assert.equal(recordOf(found).intent.id, intentId(n));
    mustBe(await opened.store.advance(intentId(n), claimOf(n)), 'scheduled');
    const other = fresh();
    const made = await opened.store.submit(submission(other, hold(), { fingerprint: fingerprintOf(n) }));
    assert.equal(recordOf(made).intent.id, intentId(other));
  });

  named('E40: an identical request finds its rejection until the intent expires, then is judged anew', async () => {
    const n = fresh();
    await opened.store.submit(submission(n, hold(1_000)));
    mustBe(await opened.store.advance(intentId(n), { type: 'reject', by: reviewer, reason: 'no' }), 'blocked');
    const found = await opened.store.submit(submission(fresh(), hold(), { fingerprint: fingerprintOf(n) }));
    assert.equal(recordOf(found).intent.id, intentId(n));
    opened.advanceClock(1_001);
    const other = fresh();
    const made = await opened.store.submit(submission(other, hold(), { fingerprint: fingerprintOf(n) }));
    assert.equal(recordOf(made).intent.id, intentId(other));
  });

  named('a token or the entry sets an identical request apart', async () => {
    const n = fresh();
    await opened.store.submit(submission(n, hold()));
    const same = { fingerprint: fingerprintOf(n) };
    const token = await opened.store.submit(submission(fresh(), hold(), { ...same, distinctBy: 'b' }));
    assert.ok(!isRefusal(token) && token.outcome === 'created');
    const again = await opened.store.submit(submission(fresh(), hold(), { ...same, distinctBy: 'b' }));
    assert.ok(!isRefusal(again) && again.outcome === 'found');
    const apart = await opened.store.submit(submission(fresh(), hold(), { ...same, singleFlight: 'apart' }));
    assert.ok(!isRefusal(apart) && apart.outcome === 'created');
  });

  named('E37: an idempotency key names its intent; another request under it is refused', async () => {
    const n = fresh();
    const key = { idempotencyKey: `key-${n}` };
    await opened.store.submit(submission(n, allow, { ...key, claim: executionId(n) }));
    const used = await opened.store.submit(submission(fresh(), allow, { ...key, fingerprint: fingerprintOf(n) }));
    assert.ok(!isRefusal(used) && used.outcome === 'found');
    const other = await opened.store.submit(submission(fresh(), allow, key));
    assert.ok(isRefusal(other) && other.refused === 'idempotency_mismatch');
  });

  named('a failed intent lets its idempotency key be judged anew, and the new one names the first', async () => {
    const n = fresh();
    const key = { idempotencyKey: `key-${n}` };
    await opened.store.submit(submission(n, allow, { ...key, claim: executionId(n) }));
    const failed = { type: 'answered', execution: executionId(n), status: 500, bytes: 0 } as const;
    mustBe(await opened.store.advance(intentId(n), failed), 'failed');
    const again = recordOf(
      await opened.store.submit(submission(fresh(), allow, { ...key, fingerprint: fingerprintOf(n) })),
    );
    assert.equal(again.about.after, intentId(n));
  });

  named('an unknown intent keeps its idempotency key, unless the API deduplicates by it', async () => {
    const n = fresh();
    const key = { idempotencyKey: `key-${n}`, fingerprint: fingerprintOf(n) };
    await opened.store.submit(submission(n, allow, { ...key, claim: executionId(n) }));
    const lost = { type: 'lost', execution: executionId(n), status: null, detail: 'ECONNRESET' } as const;
    mustBe(await opened.store.advance(intentId(n), lost), 'unknown');
    const kept = await opened.store.submit(submission(fresh(), allow, key));
    assert.ok(!isRefusal(kept) && kept.outcome === 'found');
    const anew = await opened.store.submit(submission(fresh(), allow, { ...key, idempotent: 'trusted' }));
    assert.ok(!isRefusal(anew) && anew.outcome === 'created');
  });

  named('a rate limit counts in the deciding transaction: of a hundred at once exactly the limit passes', async () => {
    const policy = `rate-${fresh()}`;
    const limit = { perHour: 10, perDay: null };
    const rate = { limit, overLimit: { ...block, because: { ...block.because, reason: 'rate_limited' } } } as const;
    const many = Array.from({ length: 100 }, () => {
      const { about, judgement, ...rest } = submission(fresh(), allow);
      return opened.store.submit({ ...rest, about: { ...about, policy }, judgement: { ...judgement, rate } });
    });
    const passed = (await Promise.all(many)).filter((made) => recordOf(made).intent.status === 'approved');
    assert.equal(passed.length, 10);
    opened.advanceClock(3_600_001);
    const { about, judgement, ...rest } = submission(fresh(), allow);
    const later = await opened.store.submit({
      ...rest,
      about: { ...about, policy },
      judgement: { ...judgement, rate },
    });
    assert.equal(recordOf(later).intent.status, 'approved');
  });

  named('a limit of zero lets nothing pass', async () => {
    const rate = { limit: { perHour: 0, perDay: null }, overLimit: block };
    const { judgement, ...rest } = submission(fresh(), allow);
    const made = await opened.store.submit({ ...rest, judgement: { ...judgement, rate } });
    assert.equal(recordOf(made).intent.status, 'blocked');
  });

  named('E10: of claims at the same instant one wins', async () => {
    const n = fresh();
    await opened.store.submit(submission(n, hold()));
    mustBe(await opened.store.advance(intentId(n), approve), 'approved');
    const claims = await Promise.all(
      Array.from({ length: 50 }, () => opened.store.advance(intentId(n), claimOf(n, fresh()))),
    );
    assert.equal(claims.filter((claimed) => !isRefusal(claimed)).length, 1);
    const requested = (await typesOf(intentId(n))).filter((type) => type === 'execution_requested');
    assert.equal(requested.length, 1);
  });

  named('a refusal leaves no trace', async () => {
    const n = fresh();
    await opened.store.submit(submission(n, hold()));
    const before = await typesOf(intentId(n));
    assert.ok(isRefusal(await opened.store.advance(intentId(n), claimOf(n))));
    assert.deepEqual(await typesOf(intentId(n)), before);
    const missing = await opened.store.advance(intentId(999_999), approve);
    assert.ok(isRefusal(missing) && missing.refused === 'not_found');
  });

  named('what is due expires, in slices of the limit, and never what is not', async () => {
    await opened.store.expireDue(1_000);
    const soon = [fresh(), fresh(), fresh()];
    for (const n of soon) await opened.store.submit(submission(n, hold(5_000)));
    const later = fresh();
    await opened.store.submit(submission(later, hold(60_000)));
    opened.advanceClock(5_001);
    assert.equal((await opened.store.expireDue(2)).length, 2);
    assert.equal((await opened.store.expireDue(2)).length, 1);
    assert.equal((await opened.store.intent(intentId(later)))?.intent.status, 'pending_approval');
  });

  named('M20: a clock that steps back moves no deadline', async () => {
    const n = fresh();
    await opened.store.submit(submission(n, hold(10_000)));
    opened.advanceClock(10_001);
    await opened.store.record([]);
    await opened.store.submit(submission(fresh(), hold()));
    opened.advanceClock(-3_600_000);
    const late = await opened.store.advance(intentId(n), approve);
    assert.ok(isRefusal(late) && late.refused === 'approval_expired');
    opened.advanceClock(3_600_000);
  });

  named('the payload comes back byte for byte, its view is on record, and only for an intent that is', async () => {
    const n = fresh();
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    await opened.store.submit(submission(n, hold(), { payload: { headers: [['X-Odd', 'caf\xe9 ']], bytes } }));
    const payload = await opened.store.viewPayload(intentId(n), reviewer);
    assert.ok(payload !== null && !isRefusal(payload));
    assert.deepEqual(Buffer.from(payload.bytes), bytes);
    assert.deepEqual(payload.headers, [['X-Odd', 'caf\xe9 ']]);
    assert.ok((await typesOf(intentId(n))).includes('payload_viewed'));
    assert.equal(await opened.store.viewPayload(intentId(999_999), reviewer), null);
  });

  named('lists come newest first, by status, in pages that neither repeat nor miss', async () => {
    const made = Array.from({ length: 7 }, fresh);
    for (const n of made) await opened.store.submit(submission(n, hold()));
    const query = { status: 'pending_approval', destination: null, agent: agent.id, sort: 'newest', limit: 3 } as const;
    const seen: string[] = [];
    for (let cursor = null; seen.length < made.length;) {
      const page: readonly IntentRecord[] = await opened.store.intents({ ...query, cursor });
      seen.push(...page.map(({ intent }) => intent.id));
      const last = page.at(-1);
      assert.ok(last !== undefined && page.length <= 3);
      cursor = { value: 0, row: last.row } as never;
    }
    assert.deepEqual(seen.slice(0, made.length), made.map(intentId).toReversed());
  });

  named('lists are sorted by deadline and by risk too', async () => {
    for (const sort of ['expires', 'risk'] as const) {
      const query = { status: null, destination: null, agent: null, sort, limit: 500, cursor: null };
      const found = await opened.store.intents(query);
      const values = found.map(({ intent, about }) =>
        sort === 'risk'
          ? -about.decision.because.risk.score
          : 'decideBy' in intent
            ? intent.decideBy
            : 'useBy' in intent
              ? intent.useBy
              : 0,
      );
      assert.ok(values.length > 0);
      assert.deepEqual(
        values,
        values.toSorted((a, b) => a - b),
      );
    }
  });

  named('events have places without gaps and types of the closed list', async () => {
    const events = await opened.store.events({ intent: null, after: 0, type: null, limit: 100_000 });
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, index) => index + 1),
    );
    assert.ok(events.every(({ type }) => eventTypes.includes(type)));
  });

  named('at start what was under way becomes unknown, and what waits or is approved stays', async () => {
    const [under, waits, approved] = [fresh(), fresh(), fresh()];
    await opened.store.submit(submission(under, allow, { claim: executionId(under) }));
    await opened.store.submit(submission(waits, hold()));
    await opened.store.submit(submission(approved, hold()));
    mustBe(await opened.store.advance(intentId(approved), approve), 'approved');
    opened = await opened.reopen();
    assert.ok((await opened.store.recover()) >= 1);
    const statusOf = async (n: number) => (await opened.store.intent(intentId(n)))?.intent.status;
    assert.equal(await statusOf(under), 'unknown');
    assert.equal(await statusOf(waits), 'pending_approval');
    assert.equal(await statusOf(approved), 'approved');
  });

  named('a key ends with its overlap, its revocation, or lives on', async () => {
    const key = (n: number) => ({ id: `key_${n.toString(16).padStart(32, '0')}`, hash: fingerprintOf(n) }) as const;
    const [first, second] = [fresh(), fresh()];
    await opened.store.addKey(agent.id, key(first), null, by);
    await opened.store.addKey(agent.id, key(second), 60_000, by);
    await opened.store.revokeKey(key(second).id, by);
    const { keys } = await opened.store.principals();
    const find = (n: number) => keys.find(({ id }) => id === key(n).id);
    assert.ok(find(first)?.expiresAt !== null && find(first)?.revokedAt === null);
    assert.ok(find(second)?.revokedAt !== null);
  });

  named('a status is kept, and its change on record', async () => {
    await opened.store.setStatus(agent.id, 'suspended', by);
    const { principals } = await opened.store.principals();
    assert.equal(principals.find(({ id }) => id === agent.id)?.status, 'suspended');
    const changes = await opened.store.events({ intent: null, after: 0, type: 'agent_status_changed', limit: 10 });
    assert.equal(changes.length, 1);
  });

  named('a call after close rejects, and every call before it is done', async () => {
    const n = fresh();
    const before = opened.store.submit(submission(n, hold()));
    const again = opened.reopen();
    await assert.rejects(opened.store.record([]));
    assert.equal(recordOf(await before).intent.id, intentId(n));
    opened = await again;
    assert.equal((await opened.store.intent(intentId(n)))?.intent.status, 'pending_approval');
  });
}

function fingerprintOf(n: number): string {
  return n.toString(16).padStart(64, '0');
}

function recordOf(submitted: Submitted | Refusal): IntentRecord {
  assert.ok(!isRefusal(submitted), 'refused' in submitted ? submitted.refused : '');
  return submitted.record;
}

function mustBe(record: IntentRecord | Refusal, status: string): void {
  assert.ok(!isRefusal(record), 'refused' in record ? record.refused : '');
  assert.equal(record.intent.status, status);
}
