// Who a key belongs to: every principal and key in memory, read anew after each change.

import { hash } from 'node:crypto';
import type { Agent } from '../core/facts.ts';
import { isAgentId, isApiKey, type AgentId, type PersonId, type PrincipalId } from '../core/ids.ts';
import { isRefusal, refuse, type Refusal } from '../core/reasons.ts';
import type { Clock, Store, StoredKey, StoredPrincipal } from './ports.ts';

/** The one who calls: an agent acts, a person decides; no value is both. */
export type Caller =
  | {
      readonly kind: 'agent';
      readonly role: 'agent';
      readonly id: AgentId;
      readonly name: string;
      readonly agent: Agent;
    }
  | { readonly kind: 'person'; readonly role: 'reviewer' | 'admin'; readonly id: PersonId; readonly name: string };

export interface Directory {
  /** `unauthorized` for a missing, malformed, unknown or ended key, `agent_inactive` for one of a suspended principal. */
  authenticate(key: string | null): Caller | Refusal;
  principals(): readonly StoredPrincipal[];
  /** An agent that may act now, by its id. */
  agent(id: AgentId): Agent | Refusal;
  find(id: string): StoredPrincipal | null;
  keys(): readonly StoredKey[];
  /** Reads the store anew; awaited by whatever changed a principal or a key. */
  refresh(): Promise<void>;
}

export async function openDirectory(store: Store, clock: Clock): Promise<Directory> {
  let principals = new Map<PrincipalId, StoredPrincipal>();
  let keys = new Map<string, StoredKey>();

  async function refresh() {
    const found = await store.principals();
    principals = new Map(found.principals.map((principal) => [principal.id, principal]));
    keys = new Map(found.keys.map((key) => [key.hash, key]));
  }
  await refresh();
  return {
    authenticate: (key) => {
      const found = key === null || !isApiKey(key) ? undefined : keys.get(hashKey(key));
      const principal = found === undefined ? undefined : principals.get(found.principal);
      if (found === undefined || principal === undefined) return refuse('unauthorized');
      const { revokedAt, expiresAt } = found;
      if (revokedAt !== null || (expiresAt !== null && clock.now() >= expiresAt)) return refuse('unauthorized');
      if (principal.status !== 'active') return refuse('agent_inactive');
      return callerOf(principal);
    },
    principals: () => [...principals.values()],
    agent: (id) => {
      const principal = principals.get(id);
      if (principal === undefined) return refuse('unauthorized');
      const caller = principal.status === 'active' ? callerOf(principal) : refuse('agent_inactive');
      if (isRefusal(caller)) return caller;
      return caller.kind === 'agent' ? caller.agent : refuse('unauthorized');
    },
    find: (id) => [...principals.values()].find((principal) => principal.id === id) ?? null,
    keys: () => [...keys.values()],
    refresh,
  };
}

/** Keys are random and long: one SHA-256 is enough to keep them out of the database. */
export function hashKey(key: string): string {
  return hash('sha256', key, 'hex');
}

function callerOf({ id, name, role, agent }: StoredPrincipal): Caller | Refusal {
  if (isAgentId(id)) {
    if (agent === null) return refuse('unauthorized');
    const { riskTier, person, environment, allowedPolicies, allowedDestinations } = agent;
    const acting: Agent = { id, name, riskTier, person, environment, allowedPolicies, allowedDestinations };
    return { kind: 'agent', role: 'agent', id, name, agent: acting };
  }
  return role === 'agent' ? refuse('unauthorized') : { kind: 'person', role, id, name };
}
