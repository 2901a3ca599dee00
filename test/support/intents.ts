// Intents, decisions and submissions as tests need them, with all that a test does not care about filled in.

import type { Decision } from '../../core/decision.ts';
import type { Agent } from '../../core/facts.ts';
import type { ExecutionId, IntentId } from '../../core/ids.ts';
import type { IntentCore } from '../../core/intent.ts';
import type { Submission } from '../../control/ports.ts';

export const agent: Agent = {
  id: `agt_${'a'.repeat(32)}`,
  name: 'tester',
  riskTier: 'standard',
  person: null,
  environment: null,
  allowedPolicies: null,
  allowedDestinations: null,
};

export const reviewer = { id: `prn_${'b'.repeat(32)}`, name: 'reviewer' } as const;

export const fingerprint = '1'.repeat(64);
export const bindingDigest = '2'.repeat(64);

export const intentId = (n: number): IntentId => `int_${n.toString(16).padStart(32, '0')}`;
export const executionId = (n: number): ExecutionId => `exe_${n.toString(16).padStart(32, '0')}`;

export const core: IntentCore = {
  id: intentId(1),
  agent: agent.id,
  agentName: agent.name,
  person: null,
  selfApproval: 'deny',
  fingerprint,
  bindingDigest,
  createdAt: 1_000,
  useWithinMs: 60_000,
  onBehalfOf: null,
};

const because = {
  message: '',
  policy: 'p',
  policyDigest: '3'.repeat(64),
  rule: 'default',
  steps: [],
  risk: { score: 0.2, level: 'low' },
} as const;

export const allow: Decision = { verdict: 'allow', because: { ...because, reason: 'approved_by_policy' } };
export const block: Decision = {
  verdict: 'block',
  because: { ...because, reason: 'blocked_term_detected', message: 'Payload contains blocked term: "sue"' },
};
export const hold = (decideWithinMs = 60_000): Decision => ({
  verdict: 'hold',
  because: { ...because, reason: 'manual_review_required' },
  decideWithinMs,
});

export function submission(n: number, decision: Decision, changes: Partial<Submission> = {}): Submission {
  return {
    id: intentId(n),
    agent,
    fingerprint: n.toString(16).padStart(64, '0'),
    bindingDigest,
    judgement: { decision, rate: null, recordCount: 1, useWithinMs: 60_000, selfApproval: 'deny' },
    about: {
      origin: 'proxy',
      destination: 'stripe.refund',
      policy: 'p',
      request: {
        method: 'POST',
        url: 'https://api.stripe.com/v1/refunds',
        headerNames: ['Content-Type'],
        methodOverride: null,
      },
      place: null,
      delivery: 'connection',
      recordCount: 1,
      estimatedValueUsd: null,
      sensitivityTags: [],
      metadata: {},
      payload: { type: 'application/json', bytes: 2, sha256: '4'.repeat(64) },
    },
    onBehalfOf: null,
    idempotencyKey: null,
    distinctBy: null,
    singleFlight: 'shared',
    idempotent: 'no',
    payload: { headers: [['X-Odd', 'caf\xe9']], bytes: Buffer.from('{}') },
    claim: null,
    ...changes,
  };
}
