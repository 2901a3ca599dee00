// What the policy must look into and cannot read is never clean: it is blocked.

import { isUndecodable } from '../content/content.ts';
import { decideBy, pass, type Rule } from './rule.ts';

export const readable: Rule = {
  name: 'readable',
  judge: ({ content, policy }) => {
    if (content === null) return pass;
    if (isUndecodable(content)) return decideBy('block', 'undecodable_body', content.undecodable, 'body');
    const needsText = policy !== null && (policy.terms !== null || policy.fieldChecks.length > 0);
    if (content.isOpaque && needsText) return decideBy('block', 'undecodable_body', 'the body is not text', 'body');
    return pass;
  },
};
