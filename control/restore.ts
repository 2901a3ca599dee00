// Brings a stored request back as the sealed one it was, under the destinations and the agent as they are now.

import { hash } from 'node:crypto';
import { bindingDigest, linesOf, resolve, type Destinations } from '../config/destinations.ts';
import { isRefusal, refuse, type Refusal } from '../core/reasons.ts';
import { requestFacts } from '../core/requestFacts.ts';
import type { SealedRequest } from '../core/sealed.ts';
import type { Directory } from './directory.ts';
import type { IntentRecord, Store } from './ports.ts';

/** A refusal where the agent, the destination or the payload is no longer what an approval could be used with. */
export type Restore = (record: IntentRecord) => Promise<SealedRequest | Refusal>;

export interface RestoreParts {
  readonly store: Pick<Store, 'request'>;
  readonly directory: Directory;
  readonly destinations: () => Destinations;
}

export function createRestore({ store, directory, destinations }: RestoreParts): Restore {
  return async ({ intent, about }) => {
    const agent = directory.agent(intent.agent);
    if (isRefusal(agent)) return agent;
    const { place } = about;
    const payload = await store.request(intent.id);
    if (place === null || payload === null) return refuse('payload_purged');
    const resolved = resolve(destinations(), place);
    if (isRefusal(resolved)) return refuse('superseded', resolved.message);
    const { bytes, headers } = payload;
    const body = { length: bytes.length, sha256: hash('sha256', bytes, 'hex'), bytes };
    if (body.sha256 !== about.payload.sha256)
      throw new Error(`The stored payload of ${intent.id} is not the one judged`);
    const { method, target, scheme: schemeAsSent, port: portAsSent } = place;
    return Object.freeze({
      facts: requestFacts({ agent, lines: linesOf(resolved), method, target, headers, body }),
      endpoint: resolved.endpoint,
      schemeAsSent,
      portAsSent,
      method,
      target,
      headers,
      idempotencyKey: null,
      distinctBy: null,
      singleFlight: resolved.entry.singleFlight,
      fingerprint: intent.fingerprint,
      bindingDigest: bindingDigest(resolved),
    });
  };
}
