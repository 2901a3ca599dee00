// The fields of the body against the policy's checks: one that blocks counts before one that asks.

import { isUndecodable } from '../content/content.ts';
import { checkField, type FieldFault } from './fieldChecks.ts';
import { decideBy, pass, type Rule } from './rule.ts';

export const fieldChecks: Rule = {
  name: 'field_checks',
  judge: ({ content, policy }) => {
    if (content === null || isUndecodable(content)) return pass;
    const faults = (policy?.fieldChecks ?? [])
      .map((check) => checkField(check, content))
      .filter((fault) => fault !== null);
    const worst = faults.find(({ action }) => action === 'block') ?? faults[0];
    if (worst === undefined) return pass;
    const outcome = worst.action === 'block' ? 'block' : 'hold';
    return decideBy(outcome, 'field_check_failed', sentence(worst), worst.path);
  },
};

function sentence({ path, rule }: FieldFault): string {
  return `Field "${path}" fails "${rule}"`;
}
