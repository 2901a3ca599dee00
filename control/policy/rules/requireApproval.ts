// Whatever the numbers say: some policies, agents and environments always ask a person.

import { decideBy, pass, type Case, type Rule, type RuleOutcome } from './rule.ts';

export const requireApproval: Rule = {
  name: 'require_approval',
  judge: (judged) => {
    if (judged.policy?.requireApproval === 'always') return hold(judged);
    if (judged.facts.agent.riskTier === 'restricted') return hold(judged, 'Agents of risk tier restricted always ask');
    if (judged.strangeEnvironment !== null) {
      return hold(judged, `The policy says nothing of environment "${judged.strangeEnvironment}"`);
    }
    return pass;
  },
};

export const byDefault: Rule = { name: 'default', judge: (judged) => hold(judged) };

/** Where data is tagged as sensitive, that is the reason a reviewer reads. */
function hold({ facts }: Case, message?: string): RuleOutcome {
  if (facts.sensitivityTags.length > 0) return decideBy('hold', 'sensitive_data_detected');
  return decideBy('hold', 'manual_review_required', message);
}
