// Seals a request: what was judged, will be shown, is stored and may be sent becomes one frozen object with a digest.

import { hash } from 'node:crypto';
import { encodeFields, type Field } from '../core/canonical.ts';
import type { Body, Header } from '../core/facts.ts';
import type { SealedRequest } from '../core/sealed.ts';
import { bindingDigest, type Resolved } from '../config/destinations.ts';
import { isVolatile } from './wire/endToEnd.ts';

export function bodyOf(bytes: Uint8Array): Body {
  return { length: bytes.length, sha256: hash('sha256', bytes, 'hex'), bytes };
}

export function seal(request: Omit<SealedRequest, 'fingerprint' | 'bindingDigest'>, resolved: Resolved): SealedRequest {
  const fingerprint = fingerprintOf(request, resolved.entry.volatileHeaders);
  return Object.freeze({ ...request, fingerprint, bindingDigest: bindingDigest(resolved) });
}

/**
 * SHA-256 over agent, schemes as sent and as dialled, host, port, method, target, body digest, and every end-to-end
 * header, name and bytes in order, but the volatile ones and Idempotency-Key.
 */
function fingerprintOf(
  request: Omit<SealedRequest, 'fingerprint' | 'bindingDigest'>,
  volatileHeaders: readonly string[],
): string {
  const { facts, endpoint, schemeAsSent, method, target, headers } = request;
  const kept = headers.filter((header) => isBound(header, volatileHeaders));
  const place: readonly Field[] = [facts.agent.id, schemeAsSent, endpoint.scheme, endpoint.host, endpoint.port];
  const lines = kept.flatMap(([name, value]) => [Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1')]);
  return hash('sha256', encodeFields('gate-request-1', [...place, method, target, facts.body.sha256, ...lines]), 'hex');
}

function isBound([name]: Header, volatileHeaders: readonly string[]): boolean {
  return name.toLowerCase() !== 'idempotency-key' && !isVolatile(name, volatileHeaders);
}
