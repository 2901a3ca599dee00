// Whether Gate lives, and whether it can do its work.

import type { FastifyInstance } from 'fastify';
import { object, text } from '../../config/shape.ts';
import type { ApiParts } from './parts.ts';
import { addRoute, ok } from './route.ts';

const verbosity = object({ verbose: text('nothing, or 1', /^(1|true)?$/) });

export function healthRoutes(app: FastifyInstance, { directory, readiness, caPem }: ApiParts): void {
  addRoute(app, directory, {
    method: 'GET',
    url: '/v1/proxy/ca.crt',
    who: 'open',
    summary: 'The certificate that clients of intercepted tunnels trust',
    handle: async ({ reply }) => {
      reply.header('Content-Type', 'application/x-pem-file');
      return ok(caPem);
    },
  });
  for (const url of ['/health', '/livez'] as const) {
    addRoute(app, directory, {
      method: 'GET',
      url,
      who: 'open',
      summary: 'Answers while the process lives',
      handle: async () => ok({ status: 'ok' }),
    });
  }
  addRoute(app, directory, {
    method: 'GET',
    url: '/readyz',
    who: 'open',
    summary: 'Whether Gate can do its work; ?verbose says which part cannot',
    query: verbosity,
    handle: async ({ query }) => {
      const parts = await readiness();
      const isReady = parts.every(({ isFine }) => isFine);
      const checks = Object.fromEntries(parts.map(({ name, isFine, detail }) => [name, isFine ? 'ok' : detail]));
      const status = isReady ? 'ready' : 'not_ready';
      return { status: isReady ? 200 : 503, body: query.verbose === undefined ? { status } : { status, checks } };
    },
  });
}
