import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Intent } from '../../core/intent.ts';
import { advance, maxTries, open, transitions, type IntentEvent } from '../../core/lifecycle.ts';
import { isRefusal } from '../../core/reasons.ts';
import {
  agent,
  allow,
  bindingDigest,
  block,
  core,
  executionId,
  fingerprint,
  hold,
  reviewer,
} from '../support/intents.ts';

const other = 'f'.repeat(64);
const by = { name: agent.name, id: agent.id };

/** Events of a history, the wrong ones among them. */
const event: fc.Arbitrary<IntentEvent> = fc.oneof(
  fc.record({
    type: fc.constant('approve' as const),
    by: fc.constant(reviewer),
    reason: fc.constant(null),
    digest: fc.constantFrom(null, fingerprint, other),
  }),
  fc.record({ type: fc.constant('reject' as const), by: fc.constant(reviewer), reason: fc.constant('no') }),
  fc.record({ type: fc.constant('revoke' as const), by: fc.constant(reviewer), reason: fc.constant(null) }),
  fc.constant({ type: 'expire' } as const),
  fc.constant({ type: 'supersede', message: 'changed' } as const),
  fc.nat(1).chain((n) =>
    fc.record({
      type: fc.constant('claim' as const),
      claim: fc.record({
        by: fc.constantFrom(by, { name: 'x', id: `agt_${'c'.repeat(32)}` as const }),
        fingerprint: fc.constantFrom(fingerprint, fingerprint, other),
        bindingDigest: fc.constantFrom(bindingDigest, bindingDigest, other),
        execution: fc.constant(executionId(n)),
      }),
    }),
  ),
  fc.nat(1).map((n) => ({
    type: 'not_sent' as const,
    execution: executionId(n),
    reason: 'upstream_unreachable' as const,
    detail: '',
  })),
  fc
    .record({ n: fc.nat(1), status: fc.constantFrom(200, 302, 400, 500) })
    .map(({ n, status }) => ({ type: 'answered' as const, execution: executionId(n), status, bytes: 1 })),
  fc.nat(1).map((n) => ({ type: 'lost' as const, execution: executionId(n), status: null, detail: '' })),
  fc.record({
    type: fc.constant('resolve' as const),
    by: fc.constant(reviewer),
    outcome: fc.constantFrom('sent' as const, 'not_sent' as const),
    note: fc.constant('looked'),
  }),
);

const history = fc.array(fc.record({ event, after: fc.nat(40_000) }), { maxLength: 40 });

const once = (n: number): IntentEvent[] => [
  { type: 'claim', claim: { by, fingerprint, bindingDigest, execution: executionId(n) } },
  { type: 'not_sent', execution: executionId(n), reason: 'upstream_unreachable', detail: '' },
];
const thrice = [1, 2, 3].flatMap(once).map((event) => ({ event, after: 1 }));

/** Plays a history and calls back with every transition that was allowed. */
function play(
  first: Intent,
  steps: readonly { event: IntentEvent; after: number }[],
  seen: (before: Intent, event: IntentEvent, after: Intent, now: number) => void,
): Intent {
  let intent = first;
  let now = 1_000;
  for (const { event, after } of steps) {
    now += after;
    const next = advance(intent, event, now);
    if (isRefusal(next)) continue;
    if (next.events.length > 0) seen(intent, event, next.intent, now);
    intent = next.intent;
  }
  return intent;
}

test('over any history at most one forward is answered or lost, and no forward follows it', () => {
  fc.assert(
    fc.property(fc.constantFrom(hold(), allow), history, (decision, steps) => {
      let sent = 0;
      play(open(core, decision, {}, 1_000).intent, steps, (before, { type }) => {
        if (type === 'claim') assert.equal(sent, 0, 'a claim after bytes may have left');
        if (before.status === 'scheduled' && (type === 'answered' || type === 'lost')) sent++;
      });
      assert.ok(sent <= 1);
    }),
    { numRuns: 3_000 },
  );
});

test('a claim follows an approval, in its time, by the agent, for the fingerprint and binding approved', () => {
  fc.assert(
    fc.property(history, (steps) => {
      let approvedAt: number | null = null;
      play(open(core, hold(), {}, 1_000).intent, steps, (before, event, after, now) => {
        if (event.type === 'approve') approvedAt = now;
        if (event.type !== 'claim') return;
        assert.ok(approvedAt !== null && now < approvedAt + core.useWithinMs);
        assert.equal(before.status, 'approved');
        assert.equal(event.claim.fingerprint, fingerprint);
        assert.equal(event.claim.bindingDigest, bindingDigest);
        assert.equal(event.claim.by.id, agent.id);
        assert.equal(after.status, 'scheduled');
      });
    }),
    { numRuns: 3_000 },
  );
});

test('every change of state is one of the published transitions, and all of those happen', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.constantFrom(hold(), allow), history, (decision, steps) => {
      play(open(core, decision, {}, 1_000).intent, steps, (before, { type }, after) => {
        const found = transitions.some(
          ([from, name, to]) => from === before.status && name === type && to === after.status,
        );
        assert.ok(found, `${before.status} –${type}→ ${after.status}`);
        seen.add(`${before.status} ${type} ${after.status}`);
      });
    }),
    { numRuns: 10_000, seed: 7, examples: [[allow, thrice]] },
  );
  assert.equal(seen.size, transitions.length);
});

test('an intent that its policy blocked changes no more', () => {
  fc.assert(
    fc.property(history, (steps) => {
      const { intent } = open(core, block, {}, 1_000);
      assert.equal(
        play(intent, steps, () => assert.fail('it changed')),
        intent,
      );
    }),
  );
});

test('a third forward of which nothing was sent spends the approval', () => {
  let intent = open(core, allow, {}, 1_000).intent;
  for (let n = 1; n <= maxTries; n++) {
    assert.equal(intent.status, 'approved');
    const claim = { by, fingerprint, bindingDigest, execution: executionId(n) };
    intent = must(advance(intent, { type: 'claim', claim }, 1_000));
    const failure = { reason: 'upstream_unreachable', detail: '' } as const;
    intent = must(advance(intent, { type: 'not_sent', execution: executionId(n), ...failure }, 1_000));
  }
  assert.equal(intent.status, 'failed');
});

test('nobody approves or rejects what an agent that acts for them proposed, unless the policy says so', () => {
  const { intent } = open({ ...core, person: reviewer.id }, hold(), {}, 1_000);
  for (const event of [approval, { type: 'reject', by: reviewer, reason: null }] as const) {
    const answer = advance(intent, event, 1_001);
    assert.ok(isRefusal(answer));
    assert.equal(answer.refused, 'self_approval');
  }
  const allowed = open({ ...core, person: reviewer.id, selfApproval: 'allow' }, hold(), {}, 1_000).intent;
  assert.equal(must(advance(allowed, approval, 1_001)).status, 'approved');
});

test('E20: an approval that names another digest than the intent has is refused as a stale view', () => {
  const answer = advance(open(core, hold(), {}, 1_000).intent, { ...approval, digest: other }, 1_001);
  assert.ok(isRefusal(answer));
  assert.equal(answer.refused, 'stale_view');
});

test('E11: at its deadline an intent can be neither approved nor claimed, before it both', () => {
  const pending = open(core, hold(100), {}, 1_000).intent;
  const late = advance(pending, approval, 1_100);
  assert.ok(isRefusal(late));
  assert.equal(late.refused, 'approval_expired');
  const approved = must(advance(pending, approval, 1_099));
  const claim: IntentEvent = { type: 'claim', claim: { by, fingerprint, bindingDigest, execution: executionId(1) } };
  const unused = advance(approved, claim, 1_099 + core.useWithinMs);
  assert.ok(isRefusal(unused));
  assert.equal(unused.refused, 'approval_unused');
  assert.equal(must(advance(approved, claim, 1_098 + core.useWithinMs)).status, 'scheduled');
});

test('every event of an intent carries its digest and on whose behalf it was proposed', () => {
  const opened = open({ ...core, onBehalfOf: 'agt_boss' }, hold(), {}, 1_000);
  const approved = advance(opened.intent, approval, 1_001);
  assert.ok(!isRefusal(approved));
  for (const { metadata } of [...opened.events, ...approved.events]) {
    assert.equal(metadata['digest'], fingerprint);
    assert.equal(metadata['onBehalfOf'], 'agt_boss');
  }
});

test('an outcome counts for the execution that is under way, and for no other', () => {
  const claim: IntentEvent = { type: 'claim', claim: { by, fingerprint, bindingDigest, execution: executionId(1) } };
  const scheduled = must(advance(open(core, allow, {}, 1_000).intent, claim, 1_000));
  for (const event of [
    { type: 'answered', execution: executionId(2), status: 200, bytes: 0 },
    { type: 'not_sent', execution: executionId(2), reason: 'upstream_unreachable', detail: '' },
    { type: 'lost', execution: executionId(2), status: null, detail: '' },
  ] as const) {
    const answer = advance(scheduled, event, 1_001);
    assert.ok(isRefusal(answer) && answer.refused === 'already_used', event.type);
  }
  const lost = { type: 'lost', execution: executionId(1), status: null, detail: '' } as const;
  assert.equal(must(advance(scheduled, lost, 1_001)).status, 'unknown');
});

const approval = { type: 'approve', by: reviewer, reason: null, digest: null } as const;

function must(next: ReturnType<typeof advance>): Intent {
  assert.ok(!isRefusal(next), 'refused' in next ? next.refused : '');
  return next.intent;
}
