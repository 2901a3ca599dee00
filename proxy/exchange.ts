// One request and its answer as they pass: what reached the wire, what came back, and what that makes of the intent.

import type { Header } from '../core/facts.ts';
import type { Outcome } from '../core/outcome.ts';
import type { ReasonCode } from '../core/reasons.ts';
import type { Answer } from './arrival.ts';
import { answerHeaders } from './wire/endToEnd.ts';

/** The client library's end of an exchange, as far as it is used. */
export interface Controller {
  readonly rawHeaders?: unknown;
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}

export interface ExchangeHandler {
  onRequestStart(controller: Controller): void;
  onResponseStart(controller: Controller, status: number, headers: unknown, phrase?: string): void;
  onResponseData(controller: Controller, chunk: Uint8Array): void;
  onResponseEnd(): void;
  onResponseError(controller: Controller, error: Error): void;
}

export interface ExchangeOptions {
  readonly method: string;
  readonly answer: Answer;
  readonly gone: AbortSignal;
  /** Lines of Gate's own for the head of the answer. */
  readonly annotations: readonly Header[];
  /** What happens to an exchange under way whose client is gone: a write is drained and recorded, a read is let go. */
  readonly whenGone: 'drain' | 'abort';
  /** Milliseconds in which the request must begin to be sent. */
  readonly startWithinMs: number;
  /** Milliseconds for which an answer that nobody reads is drained. */
  readonly drainWithinMs: number;
}

/** More header lines than this in an answer are an attack or a mistake; the client library has no limit of its own. */
const maxAnswerHeaders = 500;

export class NotSent extends Error {
  readonly reason: ReasonCode;
  constructor(reason: ReasonCode, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

export function exchange(options: ExchangeOptions): {
  readonly handler: ExchangeHandler;
  readonly outcome: Promise<Outcome>;
} {
  const { answer, gone, annotations, whenGone } = options;
  const { promise: outcome, resolve: settle } = Promise.withResolvers<Outcome>();
  let phase: 'waiting' | 'sent' | 'answering' | 'over' = 'waiting';
  let status: number | null = null;
  let bytes = 0;
  let running: Controller | null = null;
  let drain: NodeJS.Timeout | undefined;

  const end = (result: Outcome) => {
    if (phase === 'over') return;
    phase = 'over';
    clearTimeout(start);
    clearTimeout(drain);
    gone.removeEventListener('abort', leave);
    settle(result);
  };
  const start = setTimeout(
    () => end({ sent: 'nothing', reason: 'upstream_timeout', detail: 'no connection was free in time' }),
    options.startWithinMs,
  );
  const leave = () => {
    if (phase === 'waiting') end({ sent: 'nothing', reason: 'upstream_unreachable', detail: 'the client is gone' });
    else if (whenGone === 'abort') running?.abort(new Error('the client is gone'));
    else drain = setTimeout(() => running?.abort(new Error('the client is gone')), options.drainWithinMs);
  };
  if (gone.aborted) queueMicrotask(leave);
  else gone.addEventListener('abort', leave, { once: true });

  const handler: ExchangeHandler = {
    // Called right before the first byte: the last moment at which nothing has been sent.
    onRequestStart: (controller) => {
      if (phase !== 'waiting') return controller.abort(new Error('nobody waits for this any more'));
      phase = 'sent';
      clearTimeout(start);
      running = controller;
    },
    onResponseStart: (controller, found, _headers, phrase) => {
      if (phase !== 'sent') return;
      // Interim answers other than 101 say nothing final; a client that waits may not understand them.
      if (found >= 100 && found < 200) return;
      const headers = headerPairs(controller.rawHeaders);
      if (found < 100 || found > 599) return controller.abort(new Error(`status ${found} is none of HTTP's`));
      if (headers.length > maxAnswerHeaders) return controller.abort(new Error('too many header lines'));
      status = found;
      phase = 'answering';
      answer.head(found, printable(phrase), [...framed(answerHeaders(headers), found), ...annotations]);
    },
    onResponseData: (controller, chunk) => {
      if (phase !== 'answering') return;
      bytes += chunk.length;
      if (gone.aborted || answer.data(chunk)) return;
      controller.pause();
      void answer.drained().then(() => controller.resume());
    },
    onResponseEnd: () => {
      if (phase !== 'answering' || status === null) return;
      // Ended to the client by the caller, once the outcome is on record.
      end({ sent: 'answered', status, bytes });
    },
    onResponseError: (_controller, error) => {
      if (phase === 'waiting') {
        const reason = error instanceof NotSent ? error.reason : 'upstream_unreachable';
        return end({ sent: 'nothing', reason, detail: nameOf(error) });
      }
      end({ sent: 'unknown', status, detail: nameOf(error) });
    },
  };
  return { handler, outcome };
}

/** The error's code where it has one; texts of other libraries stay out of records. */
function nameOf(error: Error): string {
  if (error instanceof NotSent) return error.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** Status 204 has no body: a length would be a lie that some clients wait for (RFC 9110 §8.6). */
function framed(headers: readonly Header[], status: number): readonly Header[] {
  return status === 204 ? headers.filter(([name]) => name.toLowerCase() !== 'content-length') : headers;
}

function headerPairs(raw: unknown): readonly Header[] {
  if (!Array.isArray(raw)) return [];
  const texts = raw.map((part) => (Buffer.isBuffer(part) ? part.toString('latin1') : String(part)));
  const headers: Header[] = [];
  for (let i = 0; i + 1 < texts.length; i += 2) headers.push([texts[i] ?? '', texts[i + 1] ?? '']);
  return headers;
}

/** The client library decodes phrases as UTF-8; what is not plain ASCII cannot be written back. */
function printable(phrase: string | undefined): string {
  return phrase !== undefined && /^[\x20-\x7e]*$/.test(phrase) ? phrase : '';
}
