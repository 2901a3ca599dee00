// Judges with the policies as they are now: looks into the content where the policy must, then applies the rules.

import type { Judgement } from '../../core/decision.ts';
import type { Facts } from '../../core/facts.ts';
import { decide } from './decide.ts';
import type { Policy } from './policy.ts';

export type Policies = ReadonlyMap<string, Policy>;

/** A request in flight keeps the version it is judged with; the next call may see another. */
export type Judge = (facts: Facts, expiresInMs: number | null) => Promise<Judgement>;

export function createJudge(policies: () => Policies): Judge {
  return async (facts, expiresInMs) => {
    const policy = facts.policy === null ? null : (policies().get(facts.policy) ?? null);
    return decide(facts, policy, expiresInMs);
  };
}
