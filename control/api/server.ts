// The control API: its routes behind one HTTP server, every error in the contract's form.

import fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { isJsonFault, readJson } from '../policy/content/json.ts';
import { refuse, type ReasonCode } from '../../core/reasons.ts';
import { agentRoutes } from './agents.ts';
import { answerRoutes } from './answers.ts';
import { dashboardRoutes } from './dashboard.ts';
import { healthRoutes } from './health.ts';
import { intentRoutes } from './intents.ts';
import { logRoutes } from './log.ts';
import type { ApiParts } from './parts.ts';
import { sendRefusal } from './route.ts';
import { sessionRoutes } from './session.ts';

export interface Api {
  /** Resolves with the port once connections are accepted. */
  listen(port: number, host: string): Promise<number>;
  close(): Promise<void>;
}

/** Payloads proposed by the SDK travel in a JSON string; escapes can double them. */
const bodyLimitBytes = 32 * 1024 * 1024;

export function createApi(parts: ApiParts, onFault: (error: unknown) => void): Api {
  const app = fastify({
    logger: false,
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    // What a client sent is right or refused, never made right.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false } },
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, ignoreDuplicateSlashes: false },
    frameworkErrors: (error, _request, reply) => void sendRefusal(reply, refuse('bad_request', codeOf(error))),
  });
  app.setNotFoundHandler((_request, reply) => sendRefusal(reply, refuse('route_not_found')));
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const field = fieldOf(error);
    const code = reasonOf(error);
    if (code === 'gate_unavailable') onFault(error);
    return sendRefusal(reply, refuse(code, messageOf(error, field)), field);
  });
  allowEmptyJson(app);
  healthRoutes(app, parts);
  dashboardRoutes(app, parts);
  sessionRoutes(app, parts);
  agentRoutes(app, parts);
  intentRoutes(app, parts);
  answerRoutes(app, parts);
  logRoutes(app, parts);
  return {
    listen: async (port, host) => {
      await app.listen({ port, host });
      const address = app.server.address();
      return address !== null && typeof address === 'object' ? address.port : port;
    },
    close: () => app.close(),
  };
}

/** A decision needs no body; clients that send an empty one of type JSON mean none. */
function allowEmptyJson(app: FastifyInstance): void {
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, body: string | Buffer) => {
      const text = String(body);
      if (text === '') return {};
      // The same bounded reader that judges bodies: deep nesting and doubled keys are refused before anything parses them.
      const scanned = await readJson(text);
      if (isJsonFault(scanned)) throw Object.assign(new Error('the body is not JSON'), { statusCode: 400 });
      return JSON.parse(text);
    },
  );
  app.addHook('preValidation', async (request) => {
    if (request.method === 'POST' && request.body === undefined) request.body = {};
  });
}

function reasonOf(error: FastifyError): ReasonCode {
  if (error.statusCode === 413) return 'body_too_large';
  if (error.validation !== undefined) return 'bad_request';
  return error.statusCode !== undefined && error.statusCode < 500 ? 'bad_request' : 'gate_unavailable';
}

function fieldOf({ validation }: FastifyError): string | undefined {
  const [first] = validation ?? [];
  if (first === undefined) return undefined;
  const { additionalProperty, missingProperty } = first.params;
  const below = additionalProperty ?? missingProperty;
  const path = first.instancePath.split('/').slice(1);
  return [...path, ...(typeof below === 'string' ? [below] : [])].join('.') || undefined;
}

/** Says which rule of the schema was missed; never repeats what was sent. */
function messageOf(error: FastifyError, field: string | undefined): string {
  const [first] = error.validation ?? [];
  if (first === undefined) return error.statusCode !== undefined && error.statusCode < 500 ? codeOf(error) : 'a fault';
  const name = field === undefined ? 'the body' : `"${field}"`;
  if (first.keyword === 'additionalProperties') return `unknown field ${name}`;
  return first.keyword === 'required' ? `${name} is missing` : `${name} ${first.message ?? 'is not as it must be'}`;
}

function codeOf(error: FastifyError): string {
  return error.code ?? error.message;
}
