// Entries for hosts that were refused as unknown, as YAML for a person to read, choose from and paste.

import { findHost, type Destinations } from '../config/destinations.ts';
import { printable } from './terminal.ts';

export interface RefusedHost {
  readonly host: string;
  readonly agent: string;
  readonly method: string;
  readonly times: number;
}

/** More than these were not looked for by anybody who works. */
const maxHosts = 200;
const maxAgents = 5;

export function suggestions(refused: Iterable<RefusedHost>, destinations: Destinations): string {
  const hosts = new Map<string, { times: number; agents: Set<string>; methods: Set<string> }>();
  let left = 0;
  for (const { host, agent, method, times } of refused) {
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(host) || isListed(host, destinations)) continue;
    const found = hosts.get(host) ?? { times: 0, agents: new Set(), methods: new Set() };
    if (!hosts.has(host) && hosts.size === maxHosts) {
      left++;
      continue;
    }
    hosts.set(host, found);
    found.times += times;
    found.agents.add(agent);
    found.methods.add(method);
  }
  if (hosts.size === 0) return '# Nothing was refused for want of an entry\n';
  const sorted = [...hosts].toSorted(([, a], [, b]) => b.times - a.times);
  const entries = sorted.map(([host, { times, agents, methods }]) => {
    const names = [...agents].slice(0, maxAgents).map(printable).join(', ');
    const more = agents.size > maxAgents ? ' and others' : '';
    const how = [...methods].map(printable).join(', ');
    return `# refused ${times} ${times === 1 ? 'time' : 'times'} (${how}) to ${names}${more}
${host}:
  destination: ${nameOf(host)}
  policy: NAME   # the policy that is to judge writes
  scheme: https
`;
  });
  const rest = left === 0 ? '' : `# ${left} more refusals, of further hosts, are left out\n`;
  return `# Read before pasting: a listed host can be reached by every agent.\n${entries.join('')}${rest}`;
}

function isListed(host: string, destinations: Destinations): boolean {
  return findHost({ ...destinations, fallback: null }, { scheme: 'https', host, port: 443 }) !== null;
}

function nameOf(host: string): string {
  const labels = host.split('.');
  return `${(labels.length > 1 ? labels.at(-2) : labels[0]) ?? host}.write`;
}
