// Agents and people: registering them, looking at them, suspending them, their keys.

import type { FastifyInstance } from 'fastify';
import { freeform, list, object, oneOf, text, type TypeOf } from '../../config/shape.ts';
import { formatId, isPersonId, isPrincipalId, type KeyId, type PersonId } from '../../core/ids.ts';
import { system, type Actor } from '../../core/intent.ts';
import { refuse, type Refusal } from '../../core/reasons.ts';
import { compileTerms } from '../policy/content/terms.ts';
import type { Caller } from '../directory.ts';
import type { StoredPrincipal } from '../ports.ts';
import { madeByGate, newApiKey } from '../keys.ts';
import type { ApiParts } from './parts.ts';
import { addRoute, ok } from './route.ts';
import { iso, principalView } from './views.ts';

const line = text('text of at most 255 characters', /^[^\x00-\x1f\x7f]{1,255}$/);
const registration = object(
  {
    name: text(
      'a name of at most 128 visible characters',
      /^[^\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]{1,128}$/,
    ),
    riskTier: oneOf(['standard', 'elevated', 'restricted']),
    owner: line,
    allowed_policies: list(line),
    allowed_destinations: list(line),
    framework: line,
    metadata: freeform(),
    role: oneOf(['agent', 'reviewer', 'admin']),
    environment: text('a name of letters, digits, ".", "_", "-"', /^[A-Za-z0-9._-]{1,64}$/),
    person: text('the id of a person', /^prn_[0-9a-f]{32}$/),
  },
  ['name'],
);

/** How long a rotated key's predecessor still works. */
const rotationOverlapMs = 10 * 60_000;
/** Found through look-alikes, invisible characters and spaces: an actor of the log must not be posed as. */
const reservedNames = compileTerms(['system', 'worker', 'admin', 'gate']);

export function agentRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { directory, store } = parts;
  let isFirstOnItsWay = false;
  const changed = async (principal: string) => {
    await directory.refresh();
    const found = directory.find(principal);
    return found === null ? refuse('not_found') : ok(principalView(found));
  };

  addRoute(app, directory, {
    method: 'POST',
    url: '/v1/agents/register',
    who: 'open',
    summary: 'Registers an agent, or for an admin a person too; answers its key once',
    body: registration,
    handle: async ({ caller, body }) => {
      const closed = registrationClosed(parts, caller, isFirstOnItsWay);
      if (closed !== null) return closed;
      if (isReserved(body.name)) return refuse('name_reserved', `"${body.name}"`);
      if (body.framework === madeByGate) return refuse('bad_request', `framework "${madeByGate}" is Gate's own`);
      const beyond = (['role', 'environment', 'person'] as const).filter((field) => body[field] !== undefined);
      if (beyond.length > 0 && caller?.role !== 'admin')
        return refuse('forbidden', `${beyond.join(', ')}: admins only`);
      const { key, stored } = newApiKey(parts.random);
      const isAgent = (body.role ?? 'agent') === 'agent';
      const id = isAgent ? formatId('agt', parts.random(16)) : formatId('prn', parts.random(16));
      const principal = { id, name: body.name, status: 'active', createdAt: 0, ...kindOf(body) } as const;
      // Until it is in the directory, no second one is the first.
      isFirstOnItsWay = true;
      try {
        await store.addPrincipal(principal, stored, actorOf(caller));
        await directory.refresh();
      } finally {
        isFirstOnItsWay = false;
      }
      const answer = { agentId: id, apiKey: key, name: body.name, status: 'active', role: principal.role };
      return { status: 201, body: { ...answer, riskTier: principal.agent?.riskTier ?? null } };
    },
  });

  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/agents',
    who: 'any',
    summary: 'Agents and people, newest first; an agent sees itself',
    handle: async ({ caller }) => {
      const all = directory.principals().filter(({ id }) => caller?.kind === 'person' || id === caller?.id);
      return ok({ agents: all.map(principalView) });
    },
  });
  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/agents/:id',
    who: 'any',
    summary: 'One agent or person',
    handle: async ({ caller, id }) => {
      if (caller?.kind === 'agent' && caller.id !== id) return refuse('forbidden', 'an agent sees itself');
      const found = directory.find(id);
      return found === null ? refuse('not_found') : ok(principalView(found));
    },
  });

  for (const [verb, status] of [
    ['suspend', 'suspended'],
    ['resume', 'active'],
    ['revoke', 'revoked'],
  ] as const) {
    addRoute(app, directory, {
      method: 'POST',
      url: `/v1/agents/:id/${verb}`,
      who: 'admin',
      summary: `Makes an agent or person ${status}`,
      handle: async ({ id, caller }) => {
        const found = known(id, parts);
        if ('refused' in found) return found;
        if (found.status === 'revoked' && status !== 'revoked') return refuse('forbidden', 'revoked is for good');
        await store.setStatus(found.id, status, actorOf(caller));
        return changed(id);
      },
    });
  }
  addRoute(app, directory, {
    method: 'POST',
    url: '/v1/agents/:id/rotate',
    who: 'admin',
    summary: 'Gives a new key once; the old ones live ten minutes more',
    handle: async ({ id, caller }) => {
      const found = known(id, parts);
      if ('refused' in found) return found;
      const { key, stored } = newApiKey(parts.random);
      await store.addKey(found.id, stored, rotationOverlapMs, actorOf(caller));
      await directory.refresh();
      return ok({ agentId: id, apiKey: key, oldKeysEndAt: iso(parts.clock.now() + rotationOverlapMs) });
    },
  });
  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/keys',
    who: 'admin',
    summary: 'All keys by id; never a key or its hash',
    handle: async () => ok({ keys: directory.keys().map((key) => ({ ...key, hash: undefined })) }),
  });
  addRoute(app, directory, {
    method: 'POST',
    url: '/v1/keys/:id/revoke',
    who: 'admin',
    summary: 'Ends a key at once',
    handle: async ({ id, caller }) => {
      const key = directory.keys().find((known) => known.id === id);
      if (key === undefined) return refuse('not_found');
      await store.revokeKey(key.id satisfies KeyId, actorOf(caller));
      await directory.refresh();
      return ok({ id, status: 'revoked' });
    },
  });
}

type Registration = TypeOf<typeof registration>;

function kindOf(body: Registration): Pick<StoredPrincipal, 'kind' | 'role' | 'agent'> {
  const role = body.role ?? 'agent';
  if (role !== 'agent') return { kind: 'person', role, agent: null };
  const agent = {
    riskTier: body.riskTier ?? 'standard',
    owner: body.owner ?? null,
    person: personOf(body.person),
    environment: body.environment ?? null,
    framework: body.framework ?? null,
    allowedPolicies: body.allowed_policies ?? null,
    allowedDestinations: body.allowed_destinations ?? null,
    metadata: body.metadata ?? {},
  };
  return { kind: 'agent', role, agent };
}

/** The name as a whole; `my gate agent` is free. */
function isReserved(name: string): boolean {
  const bare = name.normalize('NFKC').replaceAll(/[\p{Cf}\p{Cc}\p{Z}\p{M}\p{P}]/gu, '');
  const found = reservedNames.find(bare);
  return found !== null && [...bare].length === found.length;
}

function personOf(id: string | undefined): PersonId | null {
  return id !== undefined && isPersonId(id) ? id : null;
}

function registrationClosed(
  { registration: mode, directory }: ApiParts,
  caller: Caller | null,
  isFirstOnItsWay: boolean,
): Refusal | null {
  if (mode === 'open' || caller?.role === 'admin') return null;
  const isFirst = !directory.principals().some(({ agent }) => agent !== null && agent.framework !== madeByGate);
  if (mode === 'first' && isFirst && !isFirstOnItsWay) return null;
  return refuse('unauthorized', 'registration is closed; an admin adds agents with: zehrava-gate agents add NAME');
}

export function actorOf(caller: Caller | null): Actor {
  return caller === null ? system : { name: caller.name, id: caller.id };
}

function known(id: string, { directory }: ApiParts): StoredPrincipal | Refusal {
  return (isPrincipalId(id) ? directory.find(id) : null) ?? refuse('not_found');
}
