import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import type { EventDraft } from '../../../core/audit.ts';
import { system } from '../../../core/intent.ts';
import { verifyLog } from '../../../control/audit/verify.ts';
import { openTestStore } from '../../support/store.ts';

const draft = (metadata: EventDraft['metadata']): EventDraft => ({
  type: 'gate_started',
  actor: system,
  intent: null,
  metadata,
});

test('of a record that fails in the middle nothing remains, and the chain goes on without a gap', async (t) => {
  const opened = await openTestStore();
  t.after(() => opened.close());
  const { store, auditKey, logId } = opened;
  const all = () => store.events({ intent: null, after: 0, type: null, limit: 1_000 });
  const before = (await all()).length;
  // In one commit: one that stands before the one that fails, and one behind it.
  const calls = await Promise.allSettled([
    store.record([draft({ n: 1 })]),
    store.record([draft({ n: 2 }), { ...draft({ n: 2 }), actor: { name: null, id: null } as never }]),
    store.record([draft({ n: 3 })]),
  ]);
  assert.deepEqual(
    calls.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const events = await all();
  assert.deepEqual(
    events.slice(before).map(({ metadata }) => JSON.parse(metadata)),
    [{ n: 1 }, { n: 3 }],
  );
  const trust = { logId, key: createSecretKey(auditKey), head: null };
  const verdict = await verifyLog(from(events), trust);
  assert.deepEqual(verdict.faults, []);
});

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
