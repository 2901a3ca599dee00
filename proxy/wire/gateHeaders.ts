// What a request asks of Gate itself: X-Gate-* and the Idempotency-Key.

import type { Header } from '../../core/facts.ts';
import { refuse, type Refusal } from '../../core/reasons.ts';
import { isGateField } from './fieldNames.ts';
import { valuesOf } from './fields.ts';

/** `unsaid` leaves it to the destination. */
export type Wish = 'yes' | 'no' | 'unsaid';

export interface GateHeaders {
  /** As sent: a malformed id is one that nobody has, and is answered like any unknown one. */
  readonly intentId: string | null;
  readonly wait: Wish;
  readonly replay: Wish;
  /** Sets the request apart from an identical one. */
  readonly distinct: string | null;
  /** As sent; null also for an empty one, which names nothing. */
  readonly idempotencyKey: string | null;
  /** Whether any X-Gate-* line was sent: an entry's `hold` is for clients that know nothing of Gate. */
  readonly client: 'speaks_gate' | 'unaware';
}

/** Trusts that no field of these is there twice. */
export function readGateHeaders(headers: readonly Header[]): GateHeaders | Refusal {
  const first = (name: string) => valuesOf(headers, name)[0] ?? null;
  const wait = readWish('X-Gate-Wait', first('x-gate-wait'));
  if (typeof wait !== 'string') return wait;
  const replay = readWish('X-Gate-Replay', first('x-gate-replay'));
  if (typeof replay !== 'string') return replay;
  const distinct = first('x-gate-distinct');
  if (distinct !== null && !/^[\x21-\x7e]{1,128}$/.test(distinct)) {
    return refuse('bad_request', 'X-Gate-Distinct must be 1 to 128 characters of visible ASCII');
  }
  return {
    intentId: first('x-gate-intent-id'),
    wait,
    replay,
    distinct,
    idempotencyKey: first('idempotency-key') || null,
    client: headers.some(([name]) => isGateField(name.toLowerCase())) ? 'speaks_gate' : 'unaware',
  };
}

function readWish(name: string, value: string | null): Wish | Refusal {
  if (value === null) return 'unsaid';
  if (value === 'true') return 'yes';
  if (value === 'false') return 'no';
  return refuse('bad_request', `${name} must be exactly "true" or "false"`);
}
