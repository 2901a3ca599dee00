// An agent with a list of policies or destinations reaches no other.

import { decideBy, pass, type Rule } from './rule.ts';

export const agentPermitted: Rule = {
  name: 'agent_permitted',
  judge: ({ facts: { agent, destination, policy } }) => {
    const { allowedDestinations, allowedPolicies } = agent;
    if (allowedDestinations !== null && !allowedDestinations.includes(destination.name)) {
      return decideBy('block', 'agent_not_permitted', `This agent may not use destination "${destination.name}"`);
    }
    if (allowedPolicies !== null && (policy === null || !allowedPolicies.includes(policy))) {
      return decideBy('block', 'agent_not_permitted', `This agent may not use policy "${policy ?? 'none'}"`);
    }
    return pass;
  },
};
