// The log itself, and the numbers that follow from it.

import type { FastifyInstance } from 'fastify';
import { object, oneOf, text } from '../../config/shape.ts';
import { eventTypes } from '../../core/audit.ts';
import type { ApiParts } from './parts.ts';
import { addRoute, ok } from './route.ts';
import { eventView } from './views.ts';

const page = object({
  after: text('a seq', /^(0|[1-9][0-9]{0,15})$/),
  type: oneOf(eventTypes),
  limit: text('1 to 1000', /^([1-9][0-9]{0,2}|1000)$/),
});

const defaultLimit = 500;

export function logRoutes(app: FastifyInstance, { directory, store }: ApiParts): void {
  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/audit',
    who: 'person',
    summary: 'The audit log, oldest first, after a seq',
    query: page,
    handle: async ({ query }) => {
      const { after = '0', type = null, limit = String(defaultLimit) } = query;
      const events = await store.events({ intent: null, after: Number(after), type, limit: Number(limit) });
      return ok(events.map((event) => ({ ...eventView(event), leaf: event.leaf, link: event.link, hmac: event.mac })));
    },
  });
  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/metrics',
    who: 'any',
    summary: 'How many were proposed, blocked, approved, carried out',
    handle: async () => {
      const counts = await store.counts();
      return ok({
        actions_attempted: counts.attempted,
        actions_blocked: counts.blocked,
        actions_pending: counts.pending,
        actions_approved: counts.approved,
        actions_succeeded: counts.succeeded,
        actions_failed: counts.failed,
        actions_duplicate: counts.duplicate,
        avg_approval_latency_ms: counts.approvalLatencyMs,
      });
    },
  });
}
