// What a route of the API is: who may call it, what it takes, what it answers. One schema validates, types and documents.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { object, type Shape } from '../../config/shape.ts';
import { isRefusal, reasons, refuse, type Refusal } from '../../core/reasons.ts';
import type { Caller, Directory } from '../directory.ts';

/** `any`: whoever has a key. `agent`, `person`: of that kind alone. `admin`: a person with that role. */
export type Who = 'open' | 'any' | 'agent' | 'person' | 'admin';

export interface RouteContext<Body, Query> {
  /** null on open routes called without a valid key. */
  readonly caller: Caller | null;
  readonly body: Body;
  readonly query: Query;
  readonly id: string;
  readonly reply: FastifyReply;
}

export interface Answered {
  readonly status: number;
  readonly body: unknown;
}

export interface Route<Body, Query> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly who: Who;
  readonly summary: string;
  readonly body?: Shape<Body>;
  readonly query?: Shape<Query>;
  readonly handle: (context: RouteContext<Body, Query>) => Promise<Answered | Refusal>;
}

const nothing = object({});

export function addRoute<Body = unknown, Query = unknown>(
  app: FastifyInstance,
  directory: Directory,
  route: Route<Body, Query>,
): void {
  const callers = new WeakMap<FastifyRequest, Caller | null>();
  app.route({
    method: route.method,
    url: route.url,
    schema: {
      summary: route.summary,
      querystring: (route.query ?? nothing).schema,
      ...(route.body === undefined ? {} : { body: route.body.schema }),
    },
    // Before the body is read: who may not call is told so, and nothing of what they sent is looked at.
    onRequest: async (request, reply) => {
      const caller = directory.authenticate(bearer(request));
      if (route.who !== 'open') {
        if (isRefusal(caller)) return sendRefusal(reply, caller);
        if (!mayCall(route.who, caller)) return sendRefusal(reply, refuse('forbidden', `${route.who} only`));
      }
      callers.set(request, isRefusal(caller) ? null : caller);
      return undefined;
    },
    handler: async (request, reply) => {
      const answered = await route.handle({
        caller: callers.get(request) ?? null,
        // Validated by the very shapes that give these types.
        body: request.body as Body,
        query: request.query as Query,
        id: idOf(request),
        reply,
      });
      if ('refused' in answered) return sendRefusal(reply, answered);
      return reply.code(answered.status).send(answered.body);
    },
  });
}

export function ok(body: unknown): Answered {
  return { status: 200, body };
}

export function sendRefusal(reply: FastifyReply, { refused, message }: Refusal, field?: string): FastifyReply {
  const { status } = reasons[refused];
  if (status === 401) reply.header('WWW-Authenticate', 'Bearer realm="gate"');
  return reply.code(status).send({ error: refused, message, ...(field === undefined ? {} : { field }) });
}

function mayCall(who: Exclude<Who, 'open'>, caller: Caller): boolean {
  switch (who) {
    case 'any':
      return true;
    case 'agent':
    case 'person':
      return caller.kind === who;
    case 'admin':
      return caller.role === 'admin';
  }
}

function bearer({ headers }: FastifyRequest): string | null {
  return /^Bearer ([\x21-\x7e]+)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}

function idOf({ params }: FastifyRequest): string {
  return typeof params === 'object' && params !== null && 'id' in params ? String(params.id) : '';
}
