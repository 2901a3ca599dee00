// How stored things look in the API's JSON: times ISO 8601 UTC, names as the contract has them.

import type { ChainedEvent, IntentRecord, StoredPrincipal } from '../ports.ts';
import type { Intent } from '../../core/intent.ts';
import { deadlineOf } from '../../core/lifecycle.ts';
import { reasons, type ReasonCode } from '../../core/reasons.ts';

export function intentView({ intent, about }: IntentRecord) {
  const reason = reasonOf(intent, about.decision.because.reason);
  const { because } = about.decision;
  return {
    intentId: intent.id,
    status: intent.status,
    destination: about.destination,
    policy: about.policy,
    agent: { id: intent.agent, name: intent.agentName },
    recordCount: about.recordCount,
    estimated_value_usd: about.estimatedValueUsd,
    sensitivity_tags: about.sensitivityTags,
    metadata: about.metadata,
    risk_score: because.risk.score,
    risk_level: because.risk.level,
    reason_code: reason,
    blockReason: blockReason(intent),
    decision: decisionView({ intent, about }),
    digest: intent.fingerprint,
    payload: about.payload,
    request: about.request,
    upstreamStatus: 'upstreamStatus' in intent ? intent.upstreamStatus : null,
    onBehalfOf: intent.onBehalfOf,
    after: about.after,
    createdAt: iso(intent.createdAt),
    approvedAt: 'approvedAt' in intent ? iso(intent.approvedAt) : null,
    expiresAt: isoOrNull(deadlineOf(intent)),
  };
}

/** The policy's decision, whatever a person made of it later. */
export function decisionView({ intent, about }: Pick<IntentRecord, 'intent' | 'about'>) {
  const { because, verdict } = about.decision;
  return {
    intent_id: intent.id,
    decision: words[verdict],
    reason_code: because.reason,
    risk_score: because.risk.score,
    risk_level: because.risk.level,
    evaluated_at: iso(about.evaluatedAt),
    policy: because.policy,
    policy_digest: because.policyDigest,
    rule: because.rule,
    steps: because.steps,
  };
}

const words = { allow: 'approved', hold: 'pending_approval', block: 'blocked' } as const;

export function eventView(event: ChainedEvent) {
  const { seq, at, type, intent, actor, actorId, metadata } = event;
  return { eventType: type, actor, actorId, createdAt: iso(at), metadata: JSON.parse(metadata), seq, intentId: intent };
}

/** Never a key or the hash of one. */
export function principalView({ id, name, role, status, createdAt, agent }: StoredPrincipal) {
  return {
    agentId: id,
    name,
    role,
    status,
    riskTier: agent?.riskTier ?? null,
    owner: agent?.owner ?? null,
    person: agent?.person ?? null,
    environment: agent?.environment ?? null,
    framework: agent?.framework ?? null,
    allowed_policies: agent?.allowedPolicies ?? null,
    allowed_destinations: agent?.allowedDestinations ?? null,
    metadata: agent?.metadata ?? {},
    createdAt: iso(createdAt),
  };
}

function reasonOf(intent: Intent, decided: ReasonCode): ReasonCode {
  switch (intent.status) {
    case 'blocked':
    case 'expired':
      return intent.reason;
    case 'approved':
    case 'scheduled':
      return intent.approvedBy === 'policy' ? 'approved_by_policy' : 'approved_by_human';
    case 'pending_approval':
    case 'succeeded':
    case 'failed':
    case 'unknown':
      return decided;
  }
}

function blockReason(intent: Intent): string | null {
  if (intent.status === 'blocked') return intent.message;
  if (intent.status === 'expired') return reasons[intent.reason].sentence;
  return null;
}

export function iso(at: number): string {
  return new Date(at).toISOString();
}

function isoOrNull(at: number | null): string | null {
  return at === null ? null : iso(at);
}
