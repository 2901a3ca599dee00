// A policy with a list of types lets no other body pass; where declaration and bytes differ, both must be on it.

import { isUndecodable } from '../content/content.ts';
import { decideBy, pass, type Rule } from './rule.ts';

export const allowedTypes: Rule = {
  name: 'allowed_types',
  judge: ({ content, policy, facts }) => {
    const allowed = policy?.allowedTypes ?? null;
    // A body that is not there is of no type.
    if (allowed === null || facts.body.length === 0 || content === null || isUndecodable(content)) return pass;
    const wrong = content.kinds.find((kind) => !allowed.includes(kind));
    if (wrong === undefined) return pass;
    return decideBy('block', 'type_not_allowed', `The policy allows ${allowed.join(', ')}, found ${wrong}`, 'body');
  },
};
