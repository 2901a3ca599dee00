// Absence is a block: what no policy judges does not pass.

import { decideBy, pass, type Rule } from './rule.ts';

export const policyExists: Rule = {
  name: 'policy_exists',
  judge: ({ facts, policy }) =>
    policy === null ? decideBy('block', 'policy_not_found', `There is no policy "${facts.policy ?? 'none'}"`) : pass,
};
