// Tells the operator once per agent and host what was refused for want of an entry, and the command that would list it.

import type { RefusedRequest } from '../control/ports.ts';
import type { Refusal } from '../core/reasons.ts';
import { printable } from './terminal.ts';

/** What is told once is kept in mind; an agent that asks for endless names is not followed further. */
const maxTold = 1_000;

export function unknownHostNotes(say: (line: string) => void): (refusal: Refusal, request: RefusedRequest) => void {
  const told = new Set<string>();
  return ({ refused }, { agent, host, method }) => {
    if (refused !== 'destination_unknown' || agent === null || host === null) return;
    const key = `${agent.id} ${host}`;
    if (told.has(key) || told.size >= maxTold) return;
    told.add(key);
    const name = printable(host);
    say(
      `Refused ${printable(method)} ${name} to agent "${printable(agent.name)}": no entry covers it; to list it: zehrava-gate destinations add ${name}`,
    );
    if (told.size === maxTold) say('Further unknown hosts are in the log alone: zehrava-gate destinations suggest');
  };
}
