// From the HTTP server's request and response to an arrival.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Header } from '../../core/facts.ts';
import type { Answer, Arrival } from '../arrival.ts';
import type { Tunnel } from './connect.ts';

/** What the server knows of the connection that a request came on. */
export interface Connection {
  invite(): void;
  /** Aborted when the parser finds a fault in the body: no more of it will come, and no end. */
  readonly broken: AbortSignal;
  end(): void;
  readonly tunnel: Tunnel | null;
  /** Asked when the answer begins: whether no further request may follow it. */
  isEnding(): boolean;
}

export function arrivalOf(request: IncomingMessage, response: ServerResponse, connection: Connection): Arrival {
  const { tunnel } = connection;
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return {
    via: viaOf(request, tunnel),
    tunnelKey: tunnel?.key ?? null,
    tunnelSni: tunnel?.sni() ?? 'agrees',
    source: request.socket.remoteAddress ?? 'unknown',
    method: request.method ?? '',
    version: request.httpVersion,
    target: request.url ?? '',
    headers: pairsOf(request.rawHeaders),
    body: breakable(request, connection.broken),
    gone: gone.signal,
    invite: () => connection.invite(),
    endConnection: () => connection.end(),
    answer: answerOf(request, response, connection),
  };
}

/** A path alone, outside a tunnel, asks for a reverse prefix; a whole URL for its host. */
function viaOf({ url = '' }: IncomingMessage, tunnel: Tunnel | null): Arrival['via'] {
  if (tunnel !== null) return { door: 'tunnel', tunnel: tunnel.authority, tls: tunnel.tls };
  return { door: url.startsWith('/') ? 'reverse' : 'forward' };
}

/** Leaves the request itself alone when it is left early: the answer still has to go out on its connection. */
async function* breakable(request: IncomingMessage, broken: AbortSignal): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = request[Symbol.asyncIterator]();
  let fail: (fault: Error) => void = () => undefined;
  const malformed = () => fail(new Error('the body is malformed'));
  broken.addEventListener('abort', malformed, { once: true });
  try {
    for (;;) {
      // Not a race with one lasting promise: that would keep every piece of the body alive as long as itself.
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        fail = reject;
        if (broken.aborted) malformed();
        else chunks.next().then(resolve, reject);
      });
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    broken.removeEventListener('abort', malformed);
  }
}

function answerOf(request: IncomingMessage, response: ServerResponse, connection: Connection): Answer {
  return {
    head: (status, phrase, headers) => {
      if (response.destroyed) return;
      // What is left of a body that nobody read must not be taken for the next request.
      if (!request.complete || connection.isEnding()) response.shouldKeepAlive = false;
      response.writeHead(status, phrase === '' ? undefined : phrase, headers.flat());
      // With the first of the body where that comes at once, else alone: a stream may begin long after its head.
      setImmediate(() => void (response.destroyed || response.writableEnded || response.flushHeaders()));
    },
    data: (chunk) => response.destroyed || response.write(chunk),
    drained: () =>
      new Promise((resolve) => {
        if (response.destroyed || !response.writableNeedDrain) return resolve();
        const done = () => {
          response.off('drain', done);
          response.off('close', done);
          resolve();
        };
        response.once('drain', done);
        response.once('close', done);
      }),
    end: () => {
      if (!response.destroyed) response.end();
    },
    cut: () => {
      response.destroy();
    },
  };
}

export function pairsOf(raw: readonly string[]): readonly Header[] {
  const pairs: Header[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return pairs;
}
