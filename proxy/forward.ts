// The dialler: the only file that opens a connection to the outside, and only for a permit.

import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { Readable } from 'node:stream';
import tls from 'node:tls';
import { Pool } from 'undici';
import type { Header } from '../core/facts.ts';
import type { Outcome } from '../core/outcome.ts';
import { urlOf, type Endpoint } from '../core/sealed.ts';
import type { ReadPermit, Spend, WritePermit } from '../control/permit.ts';
import type { Answer } from './arrival.ts';
import { exchange, NotSent } from './exchange.ts';
import { classifyAddress, neverPublicName, type AddressClass } from './wire/address.ts';

export interface DiallerOptions {
  readonly spend: Spend;
  /** PEM certificates trusted besides the usual ones. */
  readonly extraCa: readonly string[];
  /** Ports on this machine that are Gate's own: never dialled, under any name. */
  readonly ownPorts: () => readonly number[];
  readonly connectTimeoutMs: number;
  /** Until the head of the answer, and between two pieces of its body. */
  readonly answerTimeoutMs: number;
}

export interface Forwarding {
  readonly answer: Answer;
  readonly gone: AbortSignal;
  readonly annotations: readonly Header[];
}

export interface Dialler {
  /** Spends the permit and sends its request once. Never rejects, retries nothing, follows no redirect. */
  forward(permit: WritePermit | ReadPermit, forwarding: Forwarding): Promise<Outcome>;
  close(): Promise<void>;
}

/** Connections kept per destination entry, and destinations kept at all. */
const connectionsEach = 64;
const poolsKept = 256;

export function createDialler(options: DiallerOptions): Dialler {
  const pools = new Map<string, Pool>();
  const ca = [...tls.getCACertificates('default'), ...options.extraCa];
  const context = tls.createSecureContext({ ca, minVersion: 'TLSv1.2' });

  function poolFor(endpoint: Endpoint): Pool {
    const key = JSON.stringify(endpoint);
    const pool = pools.get(key) ?? openPool(endpoint);
    pools.delete(key);
    pools.set(key, pool);
    const [oldest] = pools;
    if (pools.size > poolsKept && oldest !== undefined) {
      pools.delete(oldest[0]);
      void oldest[1].close();
    }
    return pool;
  }

  function openPool(endpoint: Endpoint): Pool {
    return new Pool(new URL(urlOf({ endpoint, target: '/' })).origin, {
      connections: connectionsEach,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: 4_000,
      keepAliveMaxTimeout: 30_000,
      keepAliveTimeoutThreshold: 1_000,
      headersTimeout: options.answerTimeoutMs,
      bodyTimeout: options.answerTimeoutMs,
      maxHeaderSize: 65_536,
      connect: (_, done) => {
        connectTo(endpoint).then(
          (socket) => done(null, socket),
          (error: unknown) => done(notSent(error), null),
        );
      },
    });
  }

  /** Resolves once, judges every address, dials the literal that was judged; TLS proves the entry's own name. */
  async function connectTo(endpoint: Endpoint): Promise<net.Socket> {
    const addresses = await addressesOf(endpoint, options.ownPorts());
    const port = endpoint.dial?.port ?? endpoint.port;
    let last: unknown = new NotSent('upstream_unreachable', 'the name has no address');
    for (const address of addresses) {
      try {
        return await open(endpoint, address, port);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  function open(endpoint: Endpoint, address: string, port: number): Promise<net.Socket> {
    const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
    const isName = net.isIP(endpoint.host) === 0;
    const socket: net.Socket =
      endpoint.scheme === 'http'
        ? net.connect({ host: address, port, noDelay: true })
        : tls.connect({
            host: address,
            port,
            secureContext: context,
            // RFC 6066 §3: no literal address in SNI; its certificate is checked against the address all the same.
            ...(isName
              ? { servername: endpoint.host }
              : { servername: '', checkServerIdentity: verifyAddress(endpoint) }),
            ALPNProtocols: ['http/1.1'],
            rejectUnauthorized: true,
          });
    const timer = setTimeout(() => fail(new NotSent('upstream_timeout', 'connect timeout')), options.connectTimeoutMs);
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail);
    socket.once(endpoint.scheme === 'http' ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', fail);
      // A socket that is already broken, handed over, would make the client library reconnect for ever.
      if (socket.destroyed) return reject(new NotSent('upstream_unreachable', 'the connection broke off'));
      socket.setKeepAlive(true, 30_000);
      resolve(socket);
    });
    return promise;
  }

  return {
    forward: (permit, { answer, gone, annotations }) => {
      options.spend(permit);
      const { request } = permit;
      const body = bodyOf(permit);
      const { handler, outcome } = exchange({
        method: request.method,
        answer,
        gone,
        annotations,
        whenGone: permit.kind === 'write' ? 'drain' : 'abort',
        startWithinMs: options.connectTimeoutMs + 5_000,
        drainWithinMs: 30_000,
      });
      const { endpoint, method, target: path } = request;
      const framing: Header[] = body.bytes === null ? [] : [['Content-Length', String(body.bytes)]];
      const headers = [['Host', hostOf(endpoint)] as const, ...request.headers, ...framing].flat();
      try {
        poolFor(endpoint).dispatch({ method, path, headers, body: body.content }, handler);
      } catch (error) {
        handler.onResponseError({ abort() {}, pause() {}, resume() {} }, notSent(error));
      }
      return outcome;
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

/** What is sent as the body; `bytes` only where the client library does not know the length by itself. */
function bodyOf(permit: WritePermit | ReadPermit): { content: Uint8Array | Readable | null; bytes: number | null } {
  if (permit.kind === 'write') return whole(permit.request.facts.body.bytes);
  const { body } = permit.request;
  switch (body.kind) {
    case 'none':
      return { content: null, bytes: null };
    case 'whole':
      return whole(body.content);
    case 'streamed':
      return { content: Readable.from(body.content, { objectMode: false }), bytes: body.bytes };
  }
}

function whole(content: Uint8Array) {
  return { content: content.length === 0 ? null : content, bytes: null };
}

function hostOf(endpoint: Endpoint): string {
  return new URL(urlOf({ endpoint, target: '/' })).host;
}

const publicAddresses: ReadonlySet<AddressClass> = new Set(['public']);
/** What `allow_private` adds; the metadata services of clouds, which give out credentials, are in neither set. */
const innerAddresses: ReadonlySet<AddressClass> = new Set(['public', 'loopback', 'private', 'link_local']);

/** Every address the endpoint leads to, all of them allowed; or nothing at all. */
async function addressesOf(endpoint: Endpoint, ownPorts: readonly number[]): Promise<readonly string[]> {
  const { dial, privateAddresses } = endpoint;
  const { host, port } = dial ?? endpoint;
  const isJudged = dial === null;
  const allowed = privateAddresses === 'allow' ? innerAddresses : publicAddresses;
  const local = neverPublicName(host);
  if (isJudged && local !== null && !allowed.has(local)) {
    throw new NotSent('address_not_allowed', `the name is ${local}`);
  }
  const found = net.isIP(host) === 0 ? (await resolveName(host)).map(({ address }) => address) : [host];
  for (const address of found) {
    const kind = classifyAddress(address);
    if (isJudged && !allowed.has(kind)) throw new NotSent('address_not_allowed', `the address is ${kind}`);
    if (ownPorts.includes(port) && isThisMachine(address))
      throw new NotSent('address_not_allowed', 'it is Gate itself');
  }
  return found;
}

async function resolveName(host: string): Promise<readonly { address: string }[]> {
  try {
    return await lookup(host, { all: true, verbatim: true });
  } catch {
    throw new NotSent('upstream_unreachable', 'the name does not resolve');
  }
}

function isThisMachine(address: string): boolean {
  const kind = classifyAddress(address);
  if (kind === 'loopback' || kind === 'unspecified' || kind === 'embedded') return true;
  return Object.values(networkInterfaces()).some((list) => list?.some((own) => own.address === address));
}

function verifyAddress(endpoint: Endpoint) {
  return (_host: string, certificate: tls.PeerCertificate) => tls.checkServerIdentity(endpoint.host, certificate);
}

/** An error of Gate's own class: some codes, seen by the client library, start a reconnecting loop. */
function notSent(error: unknown): NotSent {
  if (error instanceof NotSent) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  const isTls = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|EPROTO|HOSTNAME)/.test(code);
  return new NotSent(isTls ? 'upstream_tls' : 'upstream_unreachable', code);
}
