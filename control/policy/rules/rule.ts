// What a rule is: it looks at one case and passes, or ends the judgement.

import type { Facts } from '../../../core/facts.ts';
import { reasons, type ReasonCode } from '../../../core/reasons.ts';
import type { Content, Undecodable } from '../content/content.ts';
import type { Policy } from '../policy.ts';

/** What was found in the body before the rules are asked. */
export interface Seen {
  /** null: no rule had to look. */
  readonly content: Content | Undecodable | null;
  /** The first blocked term in any text of the request, as written. */
  readonly term: string | null;
  /** Records, counted or declared; null where nobody knows. */
  readonly recordCount: number | null;
}

export interface Case extends Seen {
  readonly facts: Facts;
  /** With the overlay of its environment merged in; null when there is no such policy. */
  readonly policy: Policy | null;
  /** The environment's name when others have an overlay and it has none. */
  readonly strangeEnvironment: string | null;
}

export type RuleOutcome =
  | { readonly outcome: 'pass' }
  | {
      readonly outcome: 'allow' | 'hold' | 'block';
      readonly reason: ReasonCode;
      readonly message: string;
      /** Where in the request the rule found it; never its bytes. */
      readonly at: string | null;
    };

export interface Rule {
  readonly name: string;
  readonly judge: (judged: Case) => RuleOutcome;
}

export const pass: RuleOutcome = { outcome: 'pass' };

export function decideBy(
  outcome: 'allow' | 'hold' | 'block',
  reason: ReasonCode,
  message?: string,
  at: string | null = null,
): RuleOutcome {
  return { outcome, reason, message: message ?? reasons[reason].sentence, at };
}
