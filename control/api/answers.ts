// Kept answers and held clients: for an agent that does not wait on its own connection, and for who asks what waits.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { isRefusal, refuse, type Refusal } from '../../core/reasons.ts';
import { refuseClaim } from '../../core/lifecycle.ts';
import type { IntentRecord, KeptAnswer } from '../ports.ts';
import { visibleIntent } from './intents.ts';
import type { ApiParts } from './parts.ts';
import { addRoute, ok, type Answered } from './route.ts';
import { iso } from './views.ts';

export function answerRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { directory, store, holds, clock } = parts;
  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/intents/:id/response',
    who: 'any',
    summary: 'The upstream’s answer to a request that Gate sent by itself',
    handle: async ({ caller, id, reply }) => {
      const record = await visibleIntent(id, caller, parts);
      if (isRefusal(record)) return record;
      if (record.about.delivery === 'connection') return refuse('response_not_kept');
      const kept = await store.keptAnswer(record.intent.id);
      if (kept === null) return absent(record, clock.now());
      if (isRefusal(kept)) return kept;
      return sendKept(reply, record, kept);
    },
  });
  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/proxy/held',
    who: 'any',
    summary: 'Clients whose connection waits for a person; an agent sees its own',
    handle: async ({ caller }) => {
      const all = holds.list().filter(({ intent }) => caller?.kind === 'person' || intent.agent === caller?.id);
      const held = all.map(({ intent, request, heldSince, expiresAt }) => ({
        intentId: intent.id,
        agent: { id: intent.agent, name: intent.agentName },
        method: request?.method ?? null,
        url: request?.url ?? null,
        heldSince: iso(heldSince),
        expiresAt: iso(expiresAt),
      }));
      return ok({ held });
    },
  });
}

/** Why there is no answer: not yet, or never. */
function absent({ intent }: IntentRecord, now: number): Answered | Refusal {
  switch (intent.status) {
    case 'pending_approval':
    case 'approved':
    case 'scheduled':
      return { status: 202, body: { status: intent.status, intentId: intent.id } };
    case 'blocked':
    case 'expired':
      return refuseClaim(intent, now);
    case 'failed':
      return refuse('upstream_failed', 'no answer came');
    case 'unknown':
      return refuse('outcome_unknown');
    case 'succeeded':
      return refuse('response_not_kept', 'it was larger than what is kept, or went to another connection');
  }
}

/** As it came, but for framing and what would act on Gate's own origin. */
function sendKept(reply: FastifyReply, { intent }: IntentRecord, kept: KeptAnswer): Answered {
  for (const [name, value] of kept.headers) {
    if (
      !/^(content-length|set-cookie|strict-transport-security|clear-site-data|refresh|alt-svc|date|x-gate-.*)$/i.test(
        name,
      )
    ) {
      reply.header(name, Buffer.from(value, 'latin1').toString('latin1'));
    }
  }
  reply.header('X-Gate-Kept', '1').header('X-Gate-Intent-Id', intent.id).header('Cache-Control', 'no-store');
  reply.header('X-Content-Type-Options', 'nosniff').header('Content-Security-Policy', "default-src 'none'; sandbox");
  return { status: kept.status, body: Buffer.from(kept.body) };
}
