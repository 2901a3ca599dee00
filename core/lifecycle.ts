// The one transition: an intent and an event give the next intent and what the audit says of it, or a refusal.

import type { EventDraft } from './audit.ts';
import type { Json } from './canonical.ts';
import type { Decision } from './decision.ts';
import type { ExecutionId } from './ids.ts';
import { system, worker, type Actor, type Intent, type IntentCore, type IntentStatus } from './intent.ts';
import type { Reviewer } from './intent.ts';
import { refuse, type ReasonCode, type Refusal } from './reasons.ts';

/** Forwards of which no byte was sent, before an approval is spent all the same. */
export const maxTries = 3;

export type IntentEvent =
  | { readonly type: 'approve'; readonly by: Reviewer; readonly reason: string | null; readonly digest: string | null }
  | { readonly type: 'reject'; readonly by: Reviewer; readonly reason: string | null }
  | { readonly type: 'revoke'; readonly by: Reviewer; readonly reason: string | null }
  | { readonly type: 'expire' }
  | { readonly type: 'claim'; readonly claim: Claim }
  | { readonly type: 'supersede'; readonly message: string }
  | { readonly type: 'not_sent'; readonly execution: ExecutionId; readonly reason: ReasonCode; readonly detail: string }
  | {
      readonly type: 'answered';
      readonly execution: ExecutionId;
      readonly status: number;
      readonly bytes: number;
    }
  | {
      readonly type: 'lost';
      readonly execution: ExecutionId | null;
      readonly status: number | null;
      readonly detail: string;
    }
  | { readonly type: 'resolve'; readonly by: Reviewer; readonly outcome: 'sent' | 'not_sent'; readonly note: string };

/** What a claim must prove: who, for which exact request, under which configuration. */
export interface Claim {
  readonly by: Actor;
  readonly fingerprint: string;
  readonly bindingDigest: string;
  readonly execution: ExecutionId;
}

export interface Transition {
  readonly intent: Intent;
  readonly events: readonly EventDraft[];
}

/**
 * `now` is in integer milliseconds and never earlier than any time the store has seen. A refusal changes nothing;
 * asking again for what already holds is a transition without events.
 */
export function advance(intent: Intent, event: IntentEvent, now: number): Transition | Refusal {
  switch (event.type) {
    case 'approve':
      return approve(intent, event, now);
    case 'reject':
      return reject(intent, event, now);
    case 'revoke':
      return revoke(intent, event, now);
    case 'expire':
      return expire(intent, now);
    case 'claim':
      return claim(intent, event.claim, now);
    case 'supersede':
      return supersede(intent, event.message);
    case 'not_sent':
      return notSent(intent, event, now);
    case 'answered':
      return answered(intent, event, now);
    case 'lost':
      return lost(intent, event, now);
    case 'resolve':
      return resolve(intent, event);
  }
}

/** An intent's first state, as its policy decided, with the events that every intent begins with. */
export function open(core: IntentCore, decision: Decision, about: Record<string, Json>, now: number): Transition {
  const intent = openAs(core, decision, now);
  const { because } = decision;
  const checked = {
    result: intent.status,
    reason_code: because.reason,
    risk_score: because.risk.score,
    policy: because.policy,
    policy_digest: because.policyDigest,
    rule: because.rule,
  };
  const proposer: Actor = { name: core.agentName, id: core.agent };
  const events = [eventOf(intent, 'proposed', proposer, about), eventOf(intent, 'policy_checked', system, checked)];
  if (intent.status === 'blocked') events.push(eventOf(intent, 'blocked', system, { reason_code: because.reason }));
  if (intent.status === 'approved') {
    events.push(eventOf(intent, 'approved', system, { use_by: iso(intent.useBy) }));
  }
  return { intent, events };
}

function openAs(core: IntentCore, decision: Decision, now: number): Intent {
  const { because, verdict } = decision;
  switch (verdict) {
    case 'allow':
      return {
        ...core,
        status: 'approved',
        approvedAt: now,
        approvedBy: 'policy',
        useBy: now + core.useWithinMs,
        tries: 0,
      };
    case 'hold':
      return { ...core, status: 'pending_approval', decideBy: now + decision.decideWithinMs };
    case 'block':
      return { ...core, status: 'blocked', reason: because.reason, message: because.message };
  }
}

/** The deadline that ends the intent unless something happens before; null where there is none. */
export function deadlineOf(intent: Intent): number | null {
  if (intent.status === 'pending_approval') return intent.decideBy;
  return intent.status === 'approved' ? intent.useBy : null;
}

export function isOver(intent: Intent, now: number): boolean {
  const deadline = deadlineOf(intent);
  return deadline !== null && now >= deadline;
}

type Of<T extends IntentEvent['type']> = Extract<IntentEvent, { type: T }>;

function approve(intent: Intent, event: Of<'approve'>, now: number): Transition | Refusal {
  const refusal = refuseSelf(intent, event.by);
  if (refusal !== null) return refusal;
  if (event.digest !== null && event.digest !== intent.fingerprint) return refuse('stale_view');
  if (intent.status === 'expired') return refuse(intent.reason);
  if (isOver(intent, now)) return refuse(intent.status === 'approved' ? 'approval_unused' : 'approval_expired');
  if (intent.status === 'approved') return { intent, events: [] };
  if (intent.status !== 'pending_approval') return refuse('not_pending', `it is ${intent.status}`);
  const { decideBy: _, ...core } = intent;
  const useBy = now + intent.useWithinMs;
  const approved: Intent = { ...core, status: 'approved', approvedAt: now, approvedBy: event.by.id, useBy, tries: 0 };
  return step(approved, 'approved', event.by, { reason: event.reason, use_by: iso(useBy) });
}

function reject(intent: Intent, event: Of<'reject'>, now: number): Transition | Refusal {
  const refusal = refuseSelf(intent, event.by);
  if (refusal !== null) return refusal;
  if (intent.status !== 'pending_approval' || isOver(intent, now)) {
    return refuse('not_pending', `it is ${isOver(intent, now) ? 'expired' : intent.status}`);
  }
  const { decideBy: _, ...core } = intent;
  const blocked = block(core, 'rejected_by_human', event.reason ?? 'Rejected by a person');
  return step(blocked, 'rejected', event.by, { reason: event.reason });
}

function revoke(intent: Intent, event: Of<'revoke'>, now: number): Transition | Refusal {
  if (intent.status !== 'approved') return refuse('not_approved', `it is ${intent.status}`);
  if (isOver(intent, now)) return refuse('approval_unused');
  const blocked = block(coreOf(intent), 'revoked_by_human', event.reason ?? 'Revoked by a person');
  return step(blocked, 'revoked', event.by, { reason: event.reason });
}

function expire(intent: Intent, now: number): Transition | Refusal {
  if (!isOver(intent, now)) return { intent, events: [] };
  const reason = intent.status === 'approved' ? 'approval_unused' : 'approval_expired';
  return step({ ...coreOf(intent), status: 'expired', reason }, 'expired', system, { reason_code: reason });
}

function claim(intent: Intent, wanted: Claim, now: number): Transition | Refusal {
  if (wanted.by.id !== intent.agent) return refuse('intent_not_found');
  if (wanted.fingerprint !== intent.fingerprint) return refuse('request_mismatch');
  if (intent.status !== 'approved') return refuseClaim(intent, now);
  if (isOver(intent, now)) return refuse('approval_unused');
  if (wanted.bindingDigest !== intent.bindingDigest) {
    return refuse('superseded', 'the destination entry has changed');
  }
  const scheduled: Intent = { ...intent, status: 'scheduled', execution: wanted.execution };
  return step(scheduled, 'execution_requested', wanted.by, { execution: wanted.execution, try: intent.tries + 1 });
}

/** Why an intent in its present status cannot be claimed. */
export function refuseClaim(intent: Intent, now: number): Refusal {
  switch (intent.status) {
    case 'pending_approval':
      return refuse(isOver(intent, now) ? 'approval_expired' : 'manual_review_required');
    case 'blocked':
      return { refused: intent.reason, message: intent.message };
    case 'expired':
      return refuse(intent.reason);
    case 'approved':
      return refuse('approval_unused');
    case 'scheduled':
    case 'succeeded':
    case 'failed':
    case 'unknown':
      return refuse('already_used', `it is ${intent.status}`);
  }
}

function supersede(intent: Intent, message: string): Transition | Refusal {
  if (intent.status !== 'approved') return refuse('not_approved', `it is ${intent.status}`);
  const blocked = block(coreOf(intent), 'superseded', message);
  return step(blocked, 'blocked', system, { reason_code: 'superseded', message });
}

function notSent(intent: Intent, event: Of<'not_sent'>, now: number): Transition | Refusal {
  if (!runs(intent, event.execution)) return refuse('already_used', `it is ${intent.status}`);
  const { execution, ...rest } = intent;
  const tries = intent.tries + 1;
  const metadata = { status: 'not_sent', reason_code: event.reason, detail: event.detail, execution, tries };
  if (tries >= maxTries) {
    const failed: Intent = { ...coreOf(intent), status: 'failed', upstreamStatus: null };
    return step(failed, 'execution_failed', worker, { ...metadata, executed_at: iso(now) });
  }
  return step({ ...rest, status: 'approved', tries }, 'execution_failed', worker, metadata);
}

function answered(intent: Intent, event: Of<'answered'>, now: number): Transition | Refusal {
  if (!runs(intent, event.execution)) return refuse('already_used', `it is ${intent.status}`);
  const { status, bytes, execution } = event;
  const good = status < 400;
  const done: Intent = { ...coreOf(intent), status: good ? 'succeeded' : 'failed', upstreamStatus: status };
  const type = good ? 'execution_succeeded' : 'execution_failed';
  return step(done, type, worker, { status, bytes, execution, executed_at: iso(now) });
}

function lost(intent: Intent, event: Of<'lost'>, now: number): Transition | Refusal {
  if (intent.status !== 'scheduled') return refuse('already_used', `it is ${intent.status}`);
  if (event.execution !== null && event.execution !== intent.execution) return refuse('already_used');
  const { execution } = intent;
  const unknown: Intent = { ...coreOf(intent), status: 'unknown', execution };
  const { status, detail } = event;
  return step(unknown, 'execution_unknown', worker, { status, detail, execution, executed_at: iso(now) });
}

function resolve(intent: Intent, event: Of<'resolve'>): Transition | Refusal {
  if (intent.status !== 'unknown') return refuse('not_unknown', `it is ${intent.status}`);
  const status = event.outcome === 'sent' ? 'succeeded' : 'failed';
  const { outcome, note } = event;
  return step({ ...coreOf(intent), status, upstreamStatus: null }, 'execution_resolved', event.by, { outcome, note });
}

function runs(intent: Intent, execution: ExecutionId): intent is Extract<Intent, { status: 'scheduled' }> {
  return intent.status === 'scheduled' && intent.execution === execution;
}

function refuseSelf(intent: Intent, by: Reviewer): Refusal | null {
  return intent.person === by.id && intent.selfApproval === 'deny' ? refuse('self_approval') : null;
}

type Core = ReturnType<typeof coreOf>;

function block(core: Core, reason: ReasonCode, message: string): Intent {
  return { ...core, status: 'blocked', reason, message };
}

/** The part every status shares; nothing of one status may travel into the next by accident. */
function coreOf(intent: Intent) {
  const { id, agent, agentName, person, selfApproval, fingerprint, bindingDigest } = intent;
  const { createdAt, useWithinMs, onBehalfOf } = intent;
  return { id, agent, agentName, person, selfApproval, fingerprint, bindingDigest, createdAt, useWithinMs, onBehalfOf };
}

function step(intent: Intent, type: EventDraft['type'], actor: Actor, about: Record<string, Json>): Transition {
  return { intent, events: [eventOf(intent, type, actor, about)] };
}

/** An event of an intent: its digest and on whose behalf it was proposed stand in every one. */
export function eventOf(
  intent: Intent,
  type: EventDraft['type'],
  actor: Actor,
  about: Record<string, Json>,
): EventDraft {
  const { id, fingerprint, onBehalfOf } = intent;
  return { type, actor, intent: id, metadata: { ...about, digest: fingerprint, onBehalfOf } };
}

/** Every transition there is, for the documents and for tests that walk it. */
export const transitions: readonly (readonly [from: IntentStatus, event: IntentEvent['type'], to: IntentStatus])[] = [
  ['pending_approval', 'approve', 'approved'],
  ['pending_approval', 'reject', 'blocked'],
  ['pending_approval', 'expire', 'expired'],
  ['approved', 'revoke', 'blocked'],
  ['approved', 'supersede', 'blocked'],
  ['approved', 'expire', 'expired'],
  ['approved', 'claim', 'scheduled'],
  ['scheduled', 'not_sent', 'approved'],
  ['scheduled', 'not_sent', 'failed'],
  ['scheduled', 'answered', 'succeeded'],
  ['scheduled', 'answered', 'failed'],
  ['scheduled', 'lost', 'unknown'],
  ['unknown', 'resolve', 'succeeded'],
  ['unknown', 'resolve', 'failed'],
];

function iso(at: number): string {
  return new Date(at).toISOString();
}
