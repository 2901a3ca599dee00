// A policy with a list of destinations judges those alone.

import { decideBy, pass, type Rule } from './rule.ts';

export const destinations: Rule = {
  name: 'destinations',
  judge: ({ facts: { destination }, policy }) => {
    if (policy === null || policy.destinations === null || policy.destinations.includes(destination.name)) return pass;
    const message = `Policy "${policy.id}" does not list destination "${destination.name}"`;
    return decideBy('block', 'destination_not_allowed', message);
  },
};
