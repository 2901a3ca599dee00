// Intents: looking at them, and a person's decisions on them.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { object, oneOf, text } from '../../config/shape.ts';
import { isAgentId, isIntentId, type IntentId } from '../../core/ids.ts';
import { intentStatuses, type Reviewer } from '../../core/intent.ts';
import type { IntentEvent } from '../../core/lifecycle.ts';
import { isRefusal, refuse, type Refusal } from '../../core/reasons.ts';
import type { Caller } from '../directory.ts';
import type { Cursor, IntentQuery, IntentRecord } from '../ports.ts';
import type { ApiParts } from './parts.ts';
import { addRoute, ok, type Answered } from './route.ts';
import { decisionView, eventView, intentView, iso } from './views.ts';

const words = text('text of at most 2000 characters', /^[\s\S]{1,2000}$/);
const listing = object({
  status: oneOf(intentStatuses),
  destination: text('a destination', /^[\x21-\x7e]{1,255}$/),
  agent: text('an agent id', /^agt_[0-9a-f]{32}$/),
  limit: text('1 to 500', /^([1-9][0-9]?|[1-4][0-9]{2}|500)$/),
  cursor: text('a cursor of the page before', /^-?[0-9]+(\.[0-9]+)?_[1-9][0-9]*$/),
  sort: oneOf(['newest', 'expires', 'risk']),
});
const waiting = object({ wait: text('seconds from 0 to 60', /^([0-9]|[1-5][0-9]|60)$/) });
const approval = object({ reason: words, digest: text('64 hexadecimal digits', /^[0-9a-f]{64}$/) });
const rejection = object({ reason: words });
const resolution = object({ outcome: oneOf(['sent', 'not_sent']), note: words }, ['outcome', 'note']);

const defaultLimit = 50;
/** Events of one intent are few; more than this would be a fault of Gate's. */
const maxTrail = 10_000;

export function intentRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { directory, store } = parts;

  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/intents',
    who: 'any',
    summary: 'A page of intents; an agent sees its own',
    query: listing,
    handle: async ({ caller, query }) => {
      const own = caller?.kind === 'agent' ? caller.id : null;
      const agent = query.agent !== undefined && isAgentId(query.agent) ? query.agent : null;
      if (own !== null && agent !== null && agent !== own) return refuse('forbidden', 'an agent sees its own intents');
      const wanted: IntentQuery = {
        status: query.status ?? null,
        destination: query.destination ?? null,
        agent: own ?? agent,
        sort: query.sort ?? 'newest',
        limit: Number(query.limit ?? defaultLimit),
        cursor: cursorOf(query.cursor),
      };
      const found = await store.intents(wanted);
      const last = found.length === wanted.limit ? found.at(-1) : undefined;
      return ok({ intents: found.map(intentView), next: last === undefined ? null : cursorAfter(last, wanted.sort) });
    },
  });

  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/intents/:id',
    who: 'any',
    summary: 'One intent with its decision and its trail; ?wait=30 answers when it is decided, or after 30 seconds',
    query: waiting,
    handle: async ({ caller, id, query }) => {
      const first = await visibleIntent(id, caller, parts);
      if (isRefusal(first)) return first;
      const record = query.wait === undefined ? first : await decided(first, Number(query.wait) * 1000, parts);
      const view = intentView(record);
      const request = caller?.kind === 'person' ? await withHeaders(record, parts) : view.request;
      return ok({ ...view, request, auditTrail: await trailOf(record.intent.id, parts) });
    },
  });
  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/intents/:id/decision',
    who: 'any',
    summary: 'What the policy decided, by which rule',
    handle: async ({ caller, id }) => {
      const record = await visibleIntent(id, caller, parts);
      return isRefusal(record) ? record : ok(decisionView(record));
    },
  });
  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/intents/:id/audit',
    who: 'any',
    summary: 'The events of one intent, oldest first',
    handle: async ({ caller, id }) => {
      const record = await visibleIntent(id, caller, parts);
      return isRefusal(record) ? record : ok(await trailOf(record.intent.id, parts));
    },
  });
  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/intents/:id/payload',
    who: 'person',
    summary: 'Exactly the bytes that were judged; the view is audited',
    handle: async ({ caller, id, reply }) => {
      const payload = isIntentId(id) ? await store.viewPayload(id, reviewer(caller)) : null;
      if (payload === null) return refuse('not_found');
      if (isRefusal(payload)) return payload;
      showInert(reply, payload.type);
      return ok(Buffer.from(payload.bytes));
    },
  });

  const decide = async (id: string, event: IntentEvent): Promise<IntentRecord | Refusal> =>
    isIntentId(id) ? store.advance(id, event) : refuse('not_found');
  const answered = (record: IntentRecord | Refusal, view: (record: IntentRecord) => object): Answered | Refusal =>
    isRefusal(record) ? record : ok(view(record));

  addRoute(app, directory, {
    method: 'POST',
    url: '/v1/intents/:id/approve',
    who: 'person',
    summary: 'Lets the request pass, once, in its time',
    body: approval,
    handle: async ({ caller, id, body }) => {
      const { reason = null, digest = null } = body;
      const record = await decide(id, { type: 'approve', by: reviewer(caller), reason, digest });
      return answered(record, ({ intent }) => ({
        status: intent.status,
        approvedAt: 'approvedAt' in intent ? iso(intent.approvedAt) : null,
        expiresAt: 'useBy' in intent ? iso(intent.useBy) : null,
        intentId: intent.id,
      }));
    },
  });
  addRoute(app, directory, {
    method: 'POST',
    url: '/v1/intents/:id/reject',
    who: 'person',
    summary: 'Ends a pending request',
    body: rejection,
    handle: async ({ caller, id, body: { reason = null } }) => {
      const record = await decide(id, { type: 'reject', by: reviewer(caller), reason });
      return answered(record, ({ intent }) => ({ status: intent.status, reason, intentId: intent.id }));
    },
  });
  addRoute(app, directory, {
    method: 'POST',
    url: '/v1/intents/:id/revoke',
    who: 'person',
    summary: 'Takes an unused approval back',
    body: rejection,
    handle: async ({ caller, id, body: { reason = null } }) => {
      const record = await decide(id, { type: 'revoke', by: reviewer(caller), reason });
      return answered(record, ({ intent }) => ({ status: intent.status, reason, intentId: intent.id }));
    },
  });
  addRoute(app, directory, {
    method: 'POST',
    url: '/v1/intents/:id/resolve',
    who: 'person',
    summary: 'Says what became of a request whose outcome is unknown',
    body: resolution,
    handle: async ({ caller, id, body: { outcome, note } }) => {
      const record = await decide(id, { type: 'resolve', by: reviewer(caller), outcome, note });
      return answered(record, ({ intent }) => ({ status: intent.status, outcome, intentId: intent.id }));
    },
  });
}

/** Another agent's intent is 403, one that nobody has 404. */
export async function visibleIntent(
  id: string,
  caller: Caller | null,
  { store }: Pick<ApiParts, 'store'>,
): Promise<IntentRecord | Refusal> {
  const record = isIntentId(id) ? await store.intent(id) : null;
  if (record === null) return refuse('not_found');
  if (caller?.kind === 'agent' && caller.id !== record.intent.agent)
    return refuse('forbidden', 'another agent’s intent');
  return record;
}

/** A reviewer sees what every header says, but for what would let them act as the agent. */
async function withHeaders({ intent, about }: IntentRecord, { store }: ApiParts) {
  const stored = about.request === null ? null : await store.request(intent.id);
  if (about.request === null || stored === null) return about.request;
  const hidden = /^(authorization|cookie|x-api-key)$/i;
  const headers = stored.headers.map(([name, value]) => ({ name, value: hidden.test(name) ? '(hidden)' : value }));
  return { ...about.request, headers };
}

/** The intent as soon as it is no longer pending, or as it is when the time is over. */
async function decided(record: IntentRecord, withinMs: number, { changes, store }: ApiParts): Promise<IntentRecord> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const unsubscribe = changes.onIntent(record.intent.id, () => resolve());
  const timer = setTimeout(resolve, withinMs);
  try {
    // Asked again after subscribing: what changed meanwhile would be announced to nobody.
    const now = (await store.intent(record.intent.id)) ?? record;
    if (now.intent.status !== 'pending_approval') return now;
    await promise;
    return (await store.intent(record.intent.id)) ?? record;
  } finally {
    clearTimeout(timer);
    unsubscribe();
  }
}

async function trailOf(intent: IntentId, { store }: ApiParts) {
  const events = await store.events({ intent, after: 0, type: null, limit: maxTrail });
  return events.map((event) => ({ ...eventView(event), intentId: undefined }));
}

/** Only a person's key reaches the routes that decide; this keeps the types to it. */
function reviewer(caller: Caller | null): Reviewer {
  if (caller?.kind !== 'person') throw new Error('A decision needs a person');
  return { id: caller.id, name: caller.name };
}

/** A browser that opens the bytes must not run them. */
function showInert(reply: FastifyReply, type: string | null): void {
  reply.header('Content-Type', type !== null && /^[\x20-\x7e]+$/.test(type) ? type : 'application/octet-stream');
  reply.header('X-Content-Type-Options', 'nosniff');
  reply.header('Content-Security-Policy', "default-src 'none'; sandbox");
  reply.header('Content-Disposition', 'attachment');
  reply.header('Cache-Control', 'no-store');
}

function cursorOf(cursor: string | undefined): Cursor | null {
  if (cursor === undefined) return null;
  const [value = '', row = ''] = cursor.split('_');
  return { value: Number(value), row: Number(row) };
}

function cursorAfter({ intent, about, row }: IntentRecord, sort: IntentQuery['sort']): string {
  switch (sort) {
    case 'newest':
      return `0_${row}`;
    case 'expires':
      return `${'decideBy' in intent ? intent.decideBy : 'useBy' in intent ? intent.useBy : 0}_${row}`;
    case 'risk':
      return `${about.decision.because.risk.score}_${row}`;
  }
}
