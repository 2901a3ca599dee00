// The tunnel door: CONNECT is answered, the first byte says TLS or HTTP, and the socket joins the one server.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket, type SecureContext } from 'node:tls';
import { findHost, type Destinations, type HostEntry } from '../../config/destinations.ts';
import type { Gate } from '../../control/ports.ts';
import type { Agent } from '../../core/facts.ts';
import { isRefusal, refuse, type Refusal } from '../../core/reasons.ts';
import { proxyKey } from '../credential.ts';
import type { Authority } from '../wire/authority.ts';
import { readConnect } from '../wire/connect.ts';
import { pairsOf } from './http.ts';

/** What is known of a connection that came through a tunnel. */
export interface Tunnel {
  readonly authority: Authority;
  /** Asked for anew with every request: a revoked key is out. */
  readonly key: string | null;
  readonly tls: boolean;
  /** Whether the name that TLS asked for is the tunnel's; none at all agrees with any. */
  readonly sni: () => 'agrees' | 'differs';
}

type Admitted = Pick<Tunnel, 'authority' | 'key'>;

export interface TunnelDoorParts {
  readonly gate: Pick<Gate, 'identify'>;
  readonly destinations: () => Destinations;
  /** The leaf for a host, or null: interception is off. */
  readonly contextFor: ((host: string) => SecureContext) | null;
  /** Hands the socket to the server, as if it had just been accepted. */
  readonly join: (socket: Duplex) => void;
  readonly refuse: (socket: Duplex, refusal: Refusal, about: RefusedTunnel) => void;
  readonly onHandshake: (socket: Duplex) => void;
}

export interface RefusedTunnel {
  readonly agent: Agent | null;
  readonly host: string | null;
}

export interface TunnelDoor {
  open(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  tunnelOf(socket: Duplex): Tunnel | null;
  /** The server knows nothing of raw tunnel sockets: they are ended here. */
  close(): void;
}

function sniOf(socket: TLSSocket, host: string): 'agrees' | 'differs' {
  const { servername } = socket as { servername?: unknown };
  return typeof servername !== 'string' || servername.toLowerCase() === host ? 'agrees' : 'differs';
}

/** From the 200 to the first byte; after a CONNECT the server has no timer for the socket. */
const firstByteMs = 5_000;
const handshakeRecord = 0x16;

export function createTunnelDoor(parts: TunnelDoorParts): TunnelDoor {
  const tunnels = new WeakMap<Duplex, Tunnel>();
  const raw = new Set<Duplex>();

  function admit(request: IncomingMessage): { tunnel: Admitted; entry: HostEntry } | (Refusal & RefusedTunnel) {
    const headers = pairsOf(request.rawHeaders);
    const { method = '', url: target = '', httpVersion: version } = request;
    const authority = readConnect({ method, version, target, headers });
    if (isRefusal(authority)) return { ...authority, agent: null, host: null };
    const { host, port } = authority;
    const key = proxyKey(headers);
    const agent = parts.gate.identify(key);
    if (isRefusal(agent)) return { ...agent, agent: null, host };
    // No leaf, and no 200, for a host that no entry covers.
    const entry = findHost(parts.destinations(), { scheme: port === 80 ? 'http' : 'https', host, port });
    if (entry === null) return { ...refuse('destination_unknown', `"${host}"`), agent, host };
    if (parts.contextFor === null) return { ...refuse('tls_interception_required'), agent, host };
    return { tunnel: { authority, key }, entry };
  }

  function peek(socket: Duplex, tunnel: Admitted, head: Buffer) {
    const timer = setTimeout(() => socket.destroy(), firstByteMs);
    const look = () => {
      const chunk: unknown = socket.read();
      if (!Buffer.isBuffer(chunk)) return void socket.once('readable', look);
      clearTimeout(timer);
      socket.unshift(chunk);
      if (chunk[0] === handshakeRecord) intercept(socket, tunnel);
      else join(socket, { ...tunnel, tls: false, sni: () => 'agrees' });
    };
    socket.once('close', () => clearTimeout(timer));
    if (head.length > 0) socket.unshift(head);
    look();
  }

  function intercept(socket: Duplex, tunnel: Admitted) {
    if (parts.contextFor === null) return void socket.destroy();
    const decrypted = new TLSSocket(socket, {
      isServer: true,
      secureContext: parts.contextFor(tunnel.authority.host),
      ALPNProtocols: ['http/1.1'],
    });
    decrypted.on('error', () => decrypted.destroy());
    decrypted.once('secure', () => parts.onHandshake(decrypted));
    // The leaf is the tunnel's host's whatever was asked for; a client that asked for another reads its refusal inside.
    join(decrypted, { ...tunnel, tls: true, sni: () => sniOf(decrypted, tunnel.authority.host) });
  }

  function join(socket: Duplex, tunnel: Tunnel) {
    tunnels.set(socket, tunnel);
    parts.join(socket);
  }

  return {
    open: (request, socket, head) => {
      raw.add(socket);
      socket.once('close', () => raw.delete(socket));
      if (tunnels.has(socket)) {
        return parts.refuse(socket, refuse('method_not_allowed', 'a tunnel inside a tunnel'), {
          agent: null,
          host: null,
        });
      }
      const admitted = admit(request);
      if ('refused' in admitted) return parts.refuse(socket, admitted, admitted);
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      peek(socket, admitted.tunnel, head);
    },
    tunnelOf: (socket) => tunnels.get(socket) ?? null,
    close: () => {
      for (const socket of raw) socket.destroy();
    },
  };
}
