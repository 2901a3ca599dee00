// Principals that the environment names: the first admin's key, and the agent of proxy clients that present none.

import { formatId, isApiKey } from '../core/ids.ts';
import { system } from '../core/intent.ts';
import { isRefusal } from '../core/reasons.ts';
import type { Directory } from './directory.ts';
import { madeByGate, storedKey } from './keys.ts';
import type { Store, StoredPrincipal } from './ports.ts';

export interface NamedKeys {
  readonly adminKey: string | null;
  readonly proxyApiKey: string | null;
}

export interface IdentityParts {
  readonly store: Store;
  readonly directory: Directory;
  readonly random: (length: number) => Uint8Array;
}

export async function settleIdentities({ adminKey, proxyApiKey }: NamedKeys, parts: IdentityParts): Promise<void> {
  const { store, directory, random } = parts;
  if (adminKey !== null && isRefusal(directory.authenticate(adminKey))) {
    const admin = directory.principals().find(({ name, role }) => name === 'admin' && role === 'admin');
    const key = storedKey(adminKey, random);
    // Another key in the environment takes the place of the one before it.
    if (admin !== undefined) await store.addKey(admin.id, key, 0, system);
    else await store.addPrincipal(person(formatId('prn', random(16))), key, system);
  }
  if (proxyApiKey !== null && isApiKey(proxyApiKey) && isRefusal(directory.authenticate(proxyApiKey))) {
    await store.addPrincipal(proxyAgent(formatId('agt', random(16))), storedKey(proxyApiKey, random), system);
  }
  await directory.refresh();
}

function person(id: `prn_${string}`): StoredPrincipal {
  return { id, kind: 'person', name: 'admin', role: 'admin', status: 'active', createdAt: 0, agent: null };
}

function proxyAgent(id: `agt_${string}`): StoredPrincipal {
  const agent = {
    riskTier: 'standard',
    owner: null,
    person: null,
    environment: null,
    framework: madeByGate,
    allowedPolicies: null,
    allowedDestinations: null,
    metadata: {},
  } as const;
  return { id, kind: 'agent', name: 'proxy', role: 'agent', status: 'active', createdAt: 0, agent };
}
