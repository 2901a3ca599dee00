// Reads a body whole, within its own limit and the global budget, or not at all.

import { refuse, type Refusal } from '../core/reasons.ts';
import type { Arrival } from './arrival.ts';

/** Bytes of bodies that Gate holds at once, over all requests. */
export interface Budget {
  /** False when the bytes do not fit now. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createBudget(limitBytes: number): Budget {
  let used = 0;
  return {
    take: (bytes) => {
      if (used + bytes > limitBytes) return false;
      used += bytes;
      return true;
    },
    give: (bytes) => {
      used -= bytes;
    },
  };
}

export type Framing =
  { readonly kind: 'none' } | { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' };

export interface HeldBody {
  readonly bytes: Uint8Array;
  /** Returns the bytes to the budget, when nothing needs them any more; a second call does nothing. */
  readonly release: () => void;
}

export async function readBody(
  arrival: Pick<Arrival, 'body' | 'invite'>,
  framing: Framing,
  limitBytes: number,
  budget: Budget,
): Promise<HeldBody | Refusal> {
  if (framing.kind === 'none') return { bytes: new Uint8Array(0), release: () => undefined };
  const declared = framing.kind === 'length' ? framing.bytes : 0;
  if (declared > limitBytes) return refuse('body_too_large', `${declared} bytes declared, ${limitBytes} allowed`);
  if (!budget.take(declared)) return refuse('gate_unavailable', 'too many bodies are under way');
  let held = declared;
  const release = () => {
    budget.give(held);
    held = 0;
  };
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    arrival.invite();
    for await (const chunk of arrival.body) {
      length += chunk.length;
      if (length > limitBytes) return refused(release, 'body_too_large', `more than ${limitBytes} bytes`);
      if (length > held) {
        if (!budget.take(length - held)) return refused(release, 'gate_unavailable', 'too many bodies are under way');
        held = length;
      }
      chunks.push(chunk);
    }
  } catch {
    return refused(release, 'body_incomplete');
  }
  if (framing.kind === 'length' && length !== declared) return refused(release, 'body_incomplete');
  return { bytes: oneOf(chunks), release };
}

function refused(release: () => void, ...why: Parameters<typeof refuse>): Refusal {
  release();
  return refuse(...why);
}

function oneOf(chunks: readonly Uint8Array[]): Uint8Array {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}
