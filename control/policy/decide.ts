// Judges one case: the rules in their order, the first that decides ends it. Pure.

import type { Because, Decision, Judgement, Step } from '../../core/decision.ts';
import type { Facts } from '../../core/facts.ts';
import type { Policy } from './policy.ts';
import { riskOf } from './risk.ts';
import { allowedTypes } from './rules/allowedTypes.ts';
import { agentPermitted } from './rules/agentPermitted.ts';
import { blockedTerms } from './rules/blockedTerms.ts';
import { destinations } from './rules/destinations.ts';
import { fieldChecks } from './rules/fieldRule.ts';
import { policyExists } from './rules/policyExists.ts';
import { readable } from './rules/readable.ts';
import { recordCountOver, recordCountUnder } from './rules/recordCount.ts';
import { byDefault, requireApproval } from './rules/requireApproval.ts';
import { decideBy, type Case, type Rule, type Seen } from './rules/rule.ts';

const beforeCounting: readonly Rule[] = [agentPermitted, policyExists, destinations, readable, allowedTypes];
const afterCounting: readonly Rule[] = [
  fieldChecks,
  blockedTerms,
  requireApproval,
  recordCountOver,
  recordCountUnder,
  byDefault,
];

const minuteMs = 60_000;
const defaultMinutes = 60;

/** `expiresInMs` is what an SDK client asked for; the policy's own expiry, where earlier, stands. */
export function decide(facts: Facts, policy: Policy | null, seen: Seen, expiresInMs: number | null): Judgement {
  const [first, ...others] = environmentsOf(facts).map((name) => judgeIn(name, facts, policy, seen, expiresInMs));
  if (first === undefined) throw new Error('A case is judged in one environment at least');
  return others.reduce(stricter, first);
}

/** Where both an admin and a destination name an environment, each is judged in and the stricter outcome stands. */
function environmentsOf({ agent, destination, declaredEnvironment }: Facts): readonly (string | null)[] {
  const fixed = [agent.environment, destination.environment].filter((name) => name !== null);
  return fixed.length > 0 ? fixed : [declaredEnvironment];
}

function judgeIn(
  name: string | null,
  facts: Facts,
  base: Policy | null,
  seen: Seen,
  expiresInMs: number | null,
): Judgement {
  const overlay = name === null ? undefined : base?.environments.get(name);
  const policy = base === null || overlay === undefined ? base : { ...base, ...overlay };
  const isStrange = name !== null && overlay === undefined && base !== null && base.environments.size > 0;
  const judged: Case = { ...seen, facts, policy, strangeEnvironment: isStrange ? name : null };

  const early = runRules(beforeCounting, judged, expiresInMs, []);
  if (early.decision !== null) return judgement(early.decision, null, judged);
  const late = runRules(afterCounting, judged, expiresInMs, early.steps);
  if (late.decision === null) throw new Error('The last rule must decide');
  const limit = policy?.rateLimits ?? null;
  const over = limit === null ? null : runRules([rateLimited], judged, expiresInMs, early.steps).decision;
  return judgement(late.decision, limit === null || over === null ? null : { limit, overLimit: over }, judged);
}

const rateLimited: Rule = { name: 'rate_limits', judge: () => decideBy('block', 'rate_limited') };

function runRules(rules: readonly Rule[], judged: Case, expiresInMs: number | null, before: readonly Step[]) {
  const steps = [...before];
  for (const rule of rules) {
    const found = rule.judge(judged);
    if (found.outcome === 'pass') {
      steps.push({ rule: rule.name, outcome: 'pass', at: null });
      continue;
    }
    const { outcome, reason, message, at } = found;
    steps.push({ rule: rule.name, outcome, at });
    const { policy, facts, recordCount } = judged;
    const risk = riskOf(facts, policy, recordCount);
    const policyDigest = policy?.digest ?? null;
    const because: Because = { reason, message, policy: facts.policy, policyDigest, rule: rule.name, steps, risk };
    return { steps, decision: verdict(outcome, because, decideWithinMs(policy, expiresInMs)) };
  }
  return { steps, decision: null };
}

function verdict(outcome: 'allow' | 'hold' | 'block', because: Because, decideWithin: number): Decision {
  switch (outcome) {
    case 'allow':
    case 'block':
      return { verdict: outcome, because };
    case 'hold':
      return { verdict: outcome, because, decideWithinMs: decideWithin };
  }
}

function decideWithinMs(policy: Policy | null, expiresInMs: number | null): number {
  const own = policy?.expiryMinutes ?? null;
  if (own === null) return expiresInMs ?? defaultMinutes * minuteMs;
  return Math.min(own * minuteMs, expiresInMs ?? Infinity);
}

function judgement(decision: Decision, rate: Judgement['rate'], { policy, recordCount }: Case): Judgement {
  const useWithin = policy?.useWithinMinutes ?? policy?.expiryMinutes ?? defaultMinutes;
  return {
    decision,
    rate,
    recordCount,
    useWithinMs: useWithin * minuteMs,
    selfApproval: policy?.selfApproval ?? 'deny',
  };
}

const strictness = { allow: 0, hold: 1, block: 2 } as const;

function stricter(a: Judgement, b: Judgement): Judgement {
  return strictness[b.decision.verdict] > strictness[a.decision.verdict] ? b : a;
}
