// Checks a log, event by event, with nothing but its lines and, where given, its key and an expected head.

import type { KeyObject } from 'node:crypto';
import type { LoggedEvent } from '../../core/audit.ts';
import { genesis, linkEvent, proveLink } from './chain.ts';

/** An event as exported: the logged event and its proofs, hexadecimal. */
export interface ExportedEvent extends LoggedEvent {
  readonly leaf: string;
  readonly link: string;
  readonly mac: string;
}

export interface Fault {
  readonly seq: number;
  readonly kind: 'altered' | 'missing' | 'reordered' | 'inserted';
}

export interface Trust {
  /** null: the first event's place is taken as given. */
  readonly logId: string | null;
  /** null: links are recomputed, but who wrote them is not proven. */
  readonly key: KeyObject | null;
  /** The link of the last event, known from elsewhere; null leaves the tail unproven. */
  readonly head: string | null;
}

export interface Verdict {
  readonly faults: readonly Fault[];
  readonly events: number;
  readonly head: string | null;
  /** The place of the event whose link is the expected head: all up to it is proven to be what it was. */
  readonly provenTo: number | null;
}

/** A log with more faults than this is reported no further; it is not the log it claims to be. */
const maxFaults = 1_000;

/** Linear in time, constant in memory but for the faults. */
export async function verifyLog(events: AsyncIterable<ExportedEvent>, trust: Trust): Promise<Verdict> {
  const faults: Fault[] = [];
  const gaps = new Map<number, Fault>();
  let expected = 1;
  /** The link that the next event must follow; null after a gap, where it is not known. */
  let previous: Uint8Array | null = trust.logId === null ? null : genesis(trust.logId);
  let head: string | null = null;
  let count = 0;
  let provenTo: number | null = null;

  const note = (seq: number, kind: Fault['kind']) => {
    if (faults.length < maxFaults) faults.push({ seq, kind });
  };
  for await (const [event, next, afterNext] of withTwoAhead(events)) {
    count++;
    if (event.seq < expected) {
      // Seen before, or skipped before: a gap that is filled late is a change of order.
      const gap = gaps.get(event.seq);
      gaps.delete(event.seq);
      note(event.seq, gap === undefined ? 'inserted' : 'reordered');
      continue;
    }
    if (isStray(event, expected, next, afterNext)) {
      note(event.seq, 'inserted');
      continue;
    }
    if (event.seq > expected) {
      for (let seq = expected; seq < event.seq && gaps.size < maxFaults; seq++) gaps.set(seq, { seq, kind: 'missing' });
      previous = null;
    }
    const doubled = next?.seq === event.seq;
    if (!isGenuine(event, previous, trust)) {
      // Of two events that claim one place, the one that does not fit the chain was put in.
      if (doubled) {
        note(event.seq, 'inserted');
        continue;
      }
      note(event.seq, 'altered');
    }
    expected = event.seq + 1;
    previous = Buffer.from(event.link, 'hex');
    head = event.link;
    if (head === trust.head) provenTo = event.seq;
  }
  // A head that was noted and stands nowhere: the events it was the last of are gone.
  if (trust.head !== null && provenTo === null) note(expected, 'missing');
  return { faults: [...faults, ...gaps.values()].toSorted((a, b) => a.seq - b.seq), events: count, head, provenTo };
}

/** A place far ahead, while the expected ones go on behind it: this event does not belong here. */
function isStray(event: ExportedEvent, expected: number, next?: ExportedEvent, afterNext?: ExportedEvent): boolean {
  if (!Number.isSafeInteger(event.seq)) return true;
  if (event.seq === expected || next?.seq !== expected) return false;
  return event.seq !== expected + 1 || afterNext?.seq === expected + 1;
}

/** All is computed anew from the event's own content; nothing that it says of itself is taken on trust. */
function isGenuine(event: ExportedEvent, previous: Uint8Array | null, { key }: Trust): boolean {
  const { leaf, link } = linkEvent(event, previous ?? new Uint8Array(0));
  if (leaf.toString('hex') !== event.leaf) return false;
  if (previous !== null && link.toString('hex') !== event.link) return false;
  return key === null || proveLink(Buffer.from(event.link, 'hex'), key).toString('hex') === event.mac;
}

async function* withTwoAhead<T>(items: AsyncIterable<T>): AsyncGenerator<readonly [T, T | undefined, T | undefined]> {
  const window: T[] = [];
  for await (const item of items) {
    window.push(item);
    const [first, second, third] = window;
    if (third === undefined || first === undefined) continue;
    window.shift();
    yield [first, second, third];
  }
  const [first, second] = window;
  if (first !== undefined) yield [first, second, undefined];
  if (second !== undefined) yield [second, undefined, undefined];
}
