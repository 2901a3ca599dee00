// A request as it was judged, is shown, is stored and may be sent: one frozen object.

import type { Header, Facts } from './facts.ts';

export type Scheme = 'http' | 'https';

/** Where a request goes: what is verified, what is dialled, and whether an inner address may answer. */
export interface Endpoint {
  readonly scheme: Scheme;
  /** Canonical host: the name that TLS verifies and the Host header carries. */
  readonly host: string;
  readonly port: number;
  /** The operator's own address for it; null: resolve `host`. */
  readonly dial: { readonly host: string; readonly port: number } | null;
  readonly privateAddresses: 'deny' | 'allow';
}

export interface SealedRequest {
  readonly facts: Facts;
  readonly endpoint: Endpoint;
  readonly schemeAsSent: Scheme;
  readonly portAsSent: number;
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly target: string;
  /** End-to-end header lines as they will leave, in order; without Host and framing, which the dialler writes. */
  readonly headers: readonly Header[];
  readonly idempotencyKey: string | null;
  /** A token that sets this request apart from an identical one. */
  readonly distinctBy: string | null;
  /** Whether an identical request may find this one. */
  readonly singleFlight: 'shared' | 'apart';
  /** SHA-256 of the canonical request, hexadecimal. */
  readonly fingerprint: string;
  /** SHA-256 of the destination entry's lines that decide where and with what it is sent. */
  readonly bindingDigest: string;
}

/** The URL for people and records; never holds a credential, since user info is refused at the wire. */
export function urlOf({ endpoint, target }: Pick<SealedRequest, 'endpoint' | 'target'>): string {
  const usual = endpoint.scheme === 'https' ? 443 : 80;
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${endpoint.scheme}://${host}${endpoint.port === usual ? '' : `:${endpoint.port}`}${target}`;
}
