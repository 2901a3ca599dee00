// What the policy says of a request: one of three verdicts, never a boolean, and why.

import type { ReasonCode } from './reasons.ts';

export type RiskLevel = 'low' | 'medium' | 'high' | 'critical';

export interface Risk {
  /** 0 to 1, two decimals; informs a reviewer, decides nothing. */
  readonly score: number;
  readonly level: RiskLevel;
}

/** One rule that was asked, what it said, and where in the request it found it. */
export interface Step {
  readonly rule: string;
  readonly outcome: 'pass' | 'allow' | 'hold' | 'block';
  readonly at: string | null;
}

export interface Because {
  readonly reason: ReasonCode;
  /** The reason in words, with the rule's own particulars. */
  readonly message: string;
  readonly policy: string | null;
  /** SHA-256 of the policy's text; null where there is no such policy. */
  readonly policyDigest: string | null;
  readonly rule: string;
  readonly steps: readonly Step[];
  readonly risk: Risk;
}

export type Decision =
  | { readonly verdict: 'allow'; readonly because: Because }
  | { readonly verdict: 'hold'; readonly because: Because; readonly decideWithinMs: number }
  | { readonly verdict: 'block'; readonly because: Because };

/** At most this many intents that the policy did not block, per agent and policy, over rolling windows. */
export interface RateLimit {
  readonly perHour: number | null;
  readonly perDay: number | null;
}

/**
 * The outcome of judging. A rate limit can only be counted in the deciding transaction: where the policy has one and
 * no earlier rule decided, `overLimit` is the decision that stands if the count is reached, `decision` the one if not.
 */
export interface Judgement {
  readonly decision: Decision;
  readonly rate: { readonly limit: RateLimit; readonly overLimit: Decision } | null;
  /** Records as the rules counted them. */
  readonly recordCount: number | null;
  /** How long an approval may be used, in milliseconds. */
  readonly useWithinMs: number;
  /** Whether the person an agent acts for may decide on its intents. */
  readonly selfApproval: 'deny' | 'allow';
}
