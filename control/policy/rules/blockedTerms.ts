// A blocked term anywhere in the request, however it is dressed up, stops it.

import { decideBy, pass, type Rule } from './rule.ts';

export const blockedTerms: Rule = {
  name: 'block_if_terms',
  judge: ({ term }) =>
    term === null
      ? pass
      : decideBy('block', 'blocked_term_detected', `Payload contains blocked term: "${term}"`, 'request'),
};
