// How a client of a pending request is answered: at once, after a hold, or by a kept answer; and with which status.

import type { Entry } from '../config/destinations.ts';
import { isSdkClient } from './clients.ts';
import type { Head } from './wire/head.ts';

export interface Waiting {
  /** `asked`: the client said so, and is told 408 in the end. `entry`: it knows nothing, and gets the pending answer. */
  readonly hold: { readonly by: 'asked' | 'entry'; readonly budgetMs: number } | null;
  readonly answer: 'replay' | 'connection';
  readonly pendingStatus: number;
}

export function waitingOf(head: Head, entry: Entry, holdTimeoutMs: number): Waiting {
  const isSdk = entry.dialect === 'salesforce' || isSdkClient(head.headers);
  const auto = isSdk ? 409 : 202;
  const isReplay = head.gate.replay === 'yes';
  // What is sent without the client's connection is accepted, whoever the client is.
  const pendingStatus = isReplay ? 202 : entry.pendingStatus === 'auto' ? auto : entry.pendingStatus;
  const hold = isReplay ? null : holdOf(head, entry, isSdk ? 'sdk' : 'other', holdTimeoutMs);
  return { hold, answer: isReplay ? 'replay' : 'connection', pendingStatus };
}

function holdOf(head: Head, entry: Entry, client: 'sdk' | 'other', holdTimeoutMs: number): Waiting['hold'] {
  if (head.gate.wait === 'yes') {
    const capMs = entry.holdMaxSeconds === null ? Infinity : entry.holdMaxSeconds * 1000;
    return { by: 'asked', budgetMs: Math.min(holdTimeoutMs, capMs) };
  }
  // A client that speaks Gate's headers said how it wants to be answered by what it did not ask for.
  if (head.gate.client === 'speaks_gate') return null;
  const seconds = client === 'sdk' ? entry.holdSdkSeconds : entry.holdSeconds;
  return seconds === 0 ? null : { by: 'entry', budgetMs: Math.min(holdTimeoutMs, seconds * 1000) };
}
