// The two thresholds; a count that nobody knows satisfies neither.

import { decideBy, pass, type Rule } from './rule.ts';

export const recordCountOver: Rule = {
  name: 'require_approval_over',
  judge: ({ recordCount, policy }) => {
    const limit = policy?.requireApprovalOver ?? null;
    if (limit === null || recordCount === null || recordCount <= limit) return pass;
    return decideBy('hold', 'record_threshold_exceeded', `${recordCount} records are more than ${limit}`);
  },
};

export const recordCountUnder: Rule = {
  name: 'auto_approve_under',
  judge: ({ recordCount, policy }) => {
    const limit = policy?.autoApproveUnder ?? null;
    if (limit === null || recordCount === null || recordCount > limit) return pass;
    return decideBy('allow', 'approved_by_policy');
  },
};
