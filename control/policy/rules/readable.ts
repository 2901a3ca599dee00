// What the policy must look into and cannot read is never clean: it is blocked.

import { isUndecodable } from '../content/content.ts';
import { decideBy, pass, type Rule } from './rule.ts';

export const readable: Rule = {
  name: 'readable',
  judge: ({ content, policy, facts }) => {
    if (content === null) return pass;
    if (isUndecodable(content)) return decideBy('block', 'undecodable_body', content.undecodable, 'body');
    const needsText = policy !== null && policy.terms !== null;
    if (content.isOpaque && needsText) return decideBy('block', 'undecodable_body', 'the body is not text', 'body');
    const needsFields = policy !== null && policy.fieldChecks.length > 0;
    if (needsFields && content.documents.length === 0 && facts.body.length > 0) {
      return decideBy('block', 'undecodable_body', 'the body has no fields', 'body');
    }
    return pass;
  },
};
