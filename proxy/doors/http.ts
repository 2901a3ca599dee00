// From the HTTP server's request and response to an arrival.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Header } from '../../core/facts.ts';
import type { Answer, Arrival } from '../arrival.ts';
import type { Tunnel } from './connect.ts';

/** What the server knows of the connection that a request came on. */
export interface Connection {
  invite(): void;
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
    via: tunnel === null ? { door: 'forward' } : { door: 'tunnel', tunnel: tunnel.authority, tls: tunnel.tls },
    tunnelKey: tunnel?.key ?? null,
    source: request.socket.remoteAddress ?? 'unknown',
    method: request.method ?? '',
    version: request.httpVersion,
    target: request.url ?? '',
    headers: pairsOf(request.rawHeaders),
    body: request,
    gone: gone.signal,
    invite: () => connection.invite(),
    endConnection: () => connection.end(),
    answer: answerOf(request, response, connection),
  };
}

function answerOf(request: IncomingMessage, response: ServerResponse, connection: Connection): Answer {
  return {
    head: (status, phrase, headers) => {
      if (response.destroyed) return;
      // What is left of a body that nobody read must not be taken for the next request.
      if (!request.complete || connection.isEnding()) response.shouldKeepAlive = false;
      response.writeHead(status, phrase === '' ? undefined : phrase, headers.flat());
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
