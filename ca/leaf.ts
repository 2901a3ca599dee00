// TLS contexts of intercepted hosts: one leaf each, one key for all of this process, kept by use.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { GateCa } from './authority.ts';
import { buildLeaf } from './x509.ts';

const dayMs = 86_400_000;
const backdatedMs = 2 * dayMs;
const lifeMs = 30 * dayMs;
/** Renewed when two thirds of a leaf's life are over. */
const keptMs = 20 * dayMs;
const maxKept = 2_000;

/** The context whose certificate is for exactly `host`, a canonical name or literal address. */
export type ContextFor = (host: string) => SecureContext;

export function createLeaves(ca: GateCa, now: () => number): ContextFor {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  // Tickets of a context that was made anew still resume; they are no better than the key, and die with the process.
  const ticketKeys = randomBytes(48);
  const contexts = new LRUCache<string, SecureContext>({ max: maxKept, ttl: keptMs });
  return (host) => {
    const kept = contexts.get(host);
    if (kept !== undefined) return kept;
    const cert = buildLeaf(host, publicKey, ca, new Date(now() - backdatedMs), new Date(now() + lifeMs));
    const context = createSecureContext({ key, cert, ticketKeys, minVersion: 'TLSv1.2' });
    contexts.set(host, context);
    return context;
  };
}
