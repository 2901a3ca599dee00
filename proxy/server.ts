// The one HTTP server behind every door: it parses, keeps connections in order, and hands each request on.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContext } from 'node:tls';
import { refuse, type Refusal } from '../core/reasons.ts';
import type { Arrival } from './arrival.ts';
import { refusalAnswer } from './answers.ts';
import { give } from './carryOut.ts';
import { createTunnelDoor, type RefusedTunnel } from './doors/connect.ts';
import { parseFaultOf, refusalOf } from './doors/faults.ts';
import { arrivalOf } from './doors/http.ts';
import { createLanes } from './lanes.ts';
import { govern, type Floor } from './pipeline.ts';
import { answerRaw } from './rawAnswer.ts';

export interface ProxyServer {
  /** Resolves with the port once connections are accepted. */
  listen(port: number, host: string): Promise<number>;
  /** Accepts no more; what is under way gets `graceMs`, then is cut. */
  close(graceMs: number): Promise<void>;
}

export interface ProxyServerOptions {
  readonly floor: Floor;
  /** The TLS context of an intercepted host; null where interception is off. */
  readonly contextFor: ((host: string) => SecureContext) | null;
  /** Called with what went wrong inside Gate; the client has been answered 503. */
  readonly onFault: (error: unknown) => void;
}

export function createProxyServer({ floor, contextFor, onFault }: ProxyServerOptions): ProxyServer {
  const lanes = createLanes();
  const faulty = new WeakSet<Duplex>();
  /** Of each connection the request whose body is being read. */
  const bodies = new WeakMap<Duplex, () => void>();
  let isClosing = false;
  const server = createServer({
    // Gate's own validator decides and records; the parser's limits lie beyond its own.
    maxHeaderSize: 32_768,
    requireHostHeader: false,
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
    headersTimeout: 10_000,
    requestTimeout: 300_000,
    keepAliveTimeout: 30_000,
    connectionsCheckingInterval: 1_000,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    // An upgrade is judged as a request first; none becomes a tunnel by the parser's own doing.
    shouldUpgradeCallback: () => false,
  });
  server.maxHeadersCount = 1_000;
  server.maxConnections = 20_000;

  const unsecured = new WeakSet<Duplex>();
  const tunnels = createTunnelDoor({
    gate: floor.gate,
    destinations: floor.destinations,
    contextFor,
    join: (socket) => {
      if (socket instanceof TLSSocket) unsecured.add(socket);
      server.emit('connection', socket);
    },
    refuse: (socket, refusal, about) => void refuseRaw(socket, refusal, 'CONNECT', about),
    onHandshake: (socket) => void unsecured.delete(socket),
  });

  function take(request: IncomingMessage, response: ServerResponse, invite: () => void) {
    const { socket } = request;
    // The parser drops what is pipelined behind an upgrade it was told not to make: nothing may follow it.
    if (request.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    const breaking = new AbortController();
    // A body that is whole already is no part of what the parser finds behind it.
    bodies.set(socket, () => void (request.complete || breaking.abort()));
    const arrival = arrivalOf(request, response, {
      invite,
      broken: breaking.signal,
      end: () => lanes.poison(socket),
      tunnel: tunnels.tunnelOf(socket),
      isEnding: () => isClosing || lanes.isPoisoned(socket),
    });
    const taken = lanes.enter(socket, async () => {
      // The answer before this one has closed the connection: this request cannot be answered, so it is none.
      if (response.destroyed || lanes.isPoisoned(socket)) return void response.destroy();
      await run(arrival);
      await finished(response);
    });
    if (!taken) lanes.poison(socket);
  }

  async function run(arrival: Arrival) {
    try {
      await govern(arrival, floor);
    } catch (error) {
      onFault(error);
      unavailable(arrival);
    }
  }

  function unavailable(arrival: Arrival) {
    const context = { requestId: floor.newRequestId(), intent: null, destination: null, policy: null };
    try {
      give(refusalAnswer(refuse('gate_unavailable'), context), { arrival });
    } catch {
      // The head of an answer has gone out already: the client must see that it is incomplete.
      arrival.answer.cut();
    }
  }

  async function refuseRaw(socket: Duplex, refusal: Refusal, method: string, about: RefusedTunnel = nobody) {
    const requestId = floor.newRequestId();
    const source = 'remoteAddress' in socket && typeof socket.remoteAddress === 'string' ? socket.remoteAddress : '';
    try {
      await floor.gate.refused(refusal, { requestId, source, ...about, method, path: null });
      answerRaw(socket, refusal, requestId);
    } catch (error) {
      onFault(error);
      answerRaw(socket, refuse('gate_unavailable'), requestId);
    }
  }

  async function noteHandshake(code: string) {
    const request = { requestId: floor.newRequestId(), source: '', ...nobody, method: 'CONNECT', path: null };
    try {
      await floor.gate.refused(refuse('bad_request', `the handshake failed with ${code}`), request);
    } catch (error) {
      onFault(error);
    }
  }

  server.on('request', (request, response) => take(request, response, () => undefined));
  server.on('checkContinue', (request, response) => take(request, response, () => response.writeContinue()));
  server.on('checkExpectation', (request, response) => take(request, response, () => undefined));
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // From here on the server knows nothing of the socket: an error without a listener would end the process.
    socket.on('error', () => socket.destroy());
    // A tunnel asked for behind a request under way would answer before it, and into it.
    if (lanes.busy(socket) > 0) return void socket.destroy();
    tunnels.open(request, socket, head);
  });
  server.on('clientError', (error, socket) => {
    lanes.poison(socket);
    const fault = parseFaultOf(error);
    // The client ended in the middle of a request: it is gone, and nothing else would ever close the connection.
    if (fault.code === 'HPE_INVALID_EOF_STATE') return void socket.destroy();
    if (faulty.has(socket)) return;
    faulty.add(socket);
    bodies.get(socket)?.();
    // With a request under way the answer is that request's, and it may report a write that happened.
    if (lanes.busy(socket) > 0) return;
    if (fault.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    // Before the handshake is done nothing can be written, and an end would wait for it for ever: on record, then closed.
    if (unsecured.has(socket)) {
      socket.destroy();
      return void noteHandshake(fault.code);
    }
    return void refuseRaw(socket, refusalOf(fault), '');
  });
  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          const address = server.address();
          resolve(address !== null && typeof address === 'object' ? address.port : port);
        });
      }),
    close: async (graceMs) => {
      isClosing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      // The server's own list does not hold raw tunnel sockets.
      const timer = setTimeout(() => {
        server.closeAllConnections();
        tunnels.close();
      }, graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

const nobody: RefusedTunnel = { agent: null, host: null };

/** Until the answer has left, or cannot any more: the next request of the connection begins only then. */
function finished(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.writableFinished || response.destroyed) return resolve();
    response.once('finish', resolve);
    response.once('close', resolve);
  });
}
