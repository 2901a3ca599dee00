// The mint: the only place where a permit to send bytes is made, and where it is spent.

import type { ExecutionId, IntentId } from '../core/ids.ts';
import type { Endpoint, SealedRequest } from '../core/sealed.ts';

declare const minted: unique symbol;

/** For the exact bytes that were judged, once, after the claim is durable. */
export interface WritePermit {
  readonly [minted]: 'write';
  readonly kind: 'write';
  readonly request: SealedRequest;
  readonly intent: IntentId;
  readonly execution: ExecutionId;
}

/** For a request that passes without an intent, once, after its audit row is durable. Its body may be streamed. */
export interface ReadPermit {
  readonly [minted]: 'read';
  readonly kind: 'read';
  readonly request: PassedRequest;
}

/** What is sent of a request that passes without an intent. */
export type PassedRequest = Pick<SealedRequest, 'endpoint' | 'method' | 'target' | 'headers'> & {
  readonly requestId: string;
  readonly body: PassedBody;
};

/** Whole, or as it comes: `bytes` is its declared length, null where it comes in chunks. */
export type PassedBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'whole'; readonly content: Uint8Array }
  | { readonly kind: 'streamed'; readonly content: AsyncIterable<Uint8Array>; readonly bytes: number | null };

/** For Gate's own calls, to an address taken from configuration alone. */
export interface ErrandPermit {
  readonly [minted]: 'errand';
  readonly kind: 'errand';
  readonly endpoint: Endpoint;
}

export type Permit = WritePermit | ReadPermit | ErrandPermit;

export interface Mint {
  write(request: SealedRequest, intent: IntentId, execution: ExecutionId): WritePermit;
  read(request: PassedRequest): ReadPermit;
  errand(endpoint: Endpoint): ErrandPermit;
}

/** Throws unless this very permit was minted here and has not been spent; there is no second time. */
export type Spend = (permit: Permit) => void;

/** One pair per process: `mint` goes to the control plane alone, `spend` to the dialler alone. */
export function createMint(): { readonly mint: Mint; readonly spend: Spend } {
  const unspent = new WeakSet<object>();
  const issue = <P extends Permit>(permit: Omit<P, typeof minted>): P => {
    const frozen = Object.freeze({ ...permit });
    unspent.add(frozen);
    return frozen as P;
  };
  return {
    mint: {
      write: (request, intent, execution) => issue<WritePermit>({ kind: 'write', request, intent, execution }),
      read: (request) => issue<ReadPermit>({ kind: 'read', request }),
      errand: (endpoint) => issue<ErrandPermit>({ kind: 'errand', endpoint }),
    },
    spend: (permit) => {
      if (!unspent.delete(permit)) throw new Error('Cannot dial: the permit was not minted, or is spent');
    },
  };
}
