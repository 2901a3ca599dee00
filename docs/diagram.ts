// The state diagram of an intent, from the code's own table of transitions.

import { transitions } from '../core/lifecycle.ts';

export function stateDiagram(): string {
  const starts = ['pending_approval', 'approved', 'blocked'].map((state) => `    [*] --> ${state}: the policy decides`);
  const moves = transitions.map(([from, event, to]) => `    ${from} --> ${to}: ${event}`);
  return ['stateDiagram-v2', ...starts, ...moves].join('\n');
}
