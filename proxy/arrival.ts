// A request as every door hands it to the pipeline, free of the server that received it.

import type { Header } from '../core/facts.ts';
import type { AddressedVia, ReverseVia } from './wire/head.ts';

export interface Arrival {
  /** By which door it came, and what that door knows of where it goes. */
  readonly via: AddressedVia | ReverseVia;
  /** The key of the tunnel it came through; null where the request itself presents one or none. */
  readonly tunnelKey: string | null;
  /** Whether TLS was asked for the name that the tunnel is for. */
  readonly tunnelSni: 'agrees' | 'differs';
  /** Peer address, for records of clients that are not known. */
  readonly source: string;
  readonly method: string;
  readonly version: string;
  /** The request target, bytes as latin1. */
  readonly target: string;
  readonly headers: readonly Header[];
  /** The body as it comes, framing removed; ends, or throws when it breaks off. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborted when the client is gone before its answer was complete. */
  readonly gone: AbortSignal;
  /** Tells a client that asked with Expect to send its body. */
  invite(): void;
  /** After this answer the connection is closed, and nothing that was sent behind this request is one. */
  endConnection(): void;
  readonly answer: Answer;
}

/** Where an answer goes: one head, then bytes, then an end. Calls after the client is gone do nothing. */
export interface Answer {
  head(status: number, phrase: string, headers: readonly Header[]): void;
  /** False when the client reads slower than this: wait for `drained`. */
  data(chunk: Uint8Array): boolean;
  drained(): Promise<void>;
  end(): void;
  /** Breaks the connection off, so that the client sees an incomplete answer as one. */
  cut(): void;
}
