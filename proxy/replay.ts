// Sends approved requests by itself where the client asked for that: once, again only while no byte has left.

import type { Changes } from '../control/changes.ts';
import type { Gate, IntentRecord, KeptAnswer, Store } from '../control/ports.ts';
import type { IntentId } from '../core/ids.ts';
import type { Header } from '../core/facts.ts';
import type { Answer } from './arrival.ts';
import type { Dialler } from './forward.ts';

export interface ReplayerParts {
  readonly gate: Pick<Gate, 'perform' | 'report'>;
  readonly dialler: Dialler;
  readonly store: Pick<Store, 'keepAnswer' | 'replaysDue'>;
  readonly changes: Changes;
  readonly onFault: (error: unknown) => void;
  /** Milliseconds before each try. */
  readonly delaysMs: readonly number[];
}

export interface Replayer {
  /** Takes up what was approved before this Gate started. */
  start(): Promise<void>;
  /** No further try begins; resolves when those under way are over. */
  stop(): Promise<void>;
}

/** Before the first try, and after a first and second of which nothing was sent. */
export const replayDelaysMs = [0, 5_000, 30_000] as const;

/** A larger answer is not kept, only its status. */
const maxKeptBytes = 32 * 1024 * 1024;
const maxAtStart = 10_000;

export function createReplayer(parts: ReplayerParts): Replayer {
  const timers = new Map<IntentId, NodeJS.Timeout>();
  const running = new Set<Promise<void>>();
  let isStopping = false;

  function schedule({ intent, about }: IntentRecord) {
    if (intent.status !== 'approved' || about.delivery !== 'replay' || isStopping || timers.has(intent.id)) return;
    const run = () => {
      timers.delete(intent.id);
      const one = send(intent.id).catch(parts.onFault);
      running.add(one);
      void one.finally(() => running.delete(one));
    };
    timers.set(intent.id, setTimeout(run, parts.delaysMs[intent.tries] ?? 0));
  }

  async function send(id: IntentId): Promise<void> {
    const settled = await parts.gate.perform(id);
    if (settled.next !== 'forward') return;
    const collected = collector();
    const gone = new AbortController().signal;
    const outcome = await parts.dialler.forward(settled.permit, { answer: collected.answer, gone, annotations: [] });
    const kept = outcome.sent === 'answered' ? collected.take() : null;
    // Kept before the outcome is told: who reads that it succeeded finds the answer.
    // Whatever becomes of the copy, the outcome goes on record.
    if (kept !== null) await parts.store.keepAnswer(id, kept).catch(parts.onFault);
    await parts.gate.report(settled.permit, outcome);
  }

  const unsubscribe = parts.changes.onAny(schedule);
  return {
    start: async () => {
      for (const record of await parts.store.replaysDue(maxAtStart)) schedule(record);
    },
    stop: async () => {
      isStopping = true;
      unsubscribe();
      for (const timer of timers.values()) clearTimeout(timer);
      await Promise.all(running);
    },
  };
}

function collector(): { readonly answer: Answer; take(): KeptAnswer | null } {
  let head: { status: number; headers: readonly Header[] } | null = null;
  let chunks: Uint8Array[] = [];
  let length = 0;
  return {
    answer: {
      head: (status, _phrase, headers) => {
        head = { status, headers };
      },
      data: (chunk) => {
        length += chunk.length;
        if (length > maxKeptBytes) chunks = [];
        else chunks.push(Uint8Array.from(chunk));
        return true;
      },
      drained: () => Promise.resolve(),
      end: () => undefined,
      cut: () => undefined,
    },
    take: () => (head === null || length > maxKeptBytes ? null : { ...head, body: Buffer.concat(chunks) }),
  };
}
