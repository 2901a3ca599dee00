// Judges small bodies where they stand, and large ones in a thread of their own.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Judgement } from '../core/decision.ts';
import type { Facts } from '../core/facts.ts';
import type { JudgeCall, JudgeReply } from './judgeWorker.ts';
import { createJudge, type Judge, type Policies } from './policy/judge.ts';
import { looksInside } from './policy/policy.ts';

export interface Judging {
  readonly judge: Judge;
  close(): Promise<void>;
}

/** Below this the judgement is over sooner than the thread's answer would be there. */
const largeBytes = 64 * 1024;
/** Compressed, a few bytes may become as many megabytes. */
const largeCompressedBytes = 1;
/** Judged at once in the thread: each may be decoded to a hundred megabytes and read into a tree of a million values. */
const atOnce = 2;
/** Waiting beyond this is refused; their raw bytes are within the global budget all the while. */
const mostWaiting = 64;
/** A tree that needs more ends the thread, not the process. */
const threadMegabytes = 1_536;

interface Waiting {
  readonly settle: (judgement: Judgement) => void;
  readonly fail: (fault: Error) => void;
}

export function createJudging(policies: () => Policies): Judging {
  const near = createJudge(policies);
  const waiting = new Map<number, Waiting>();
  const turns: (() => void)[] = [];
  let busy = 0;
  let worker: Worker | null = null;
  let next = 0;

  /** Started when first needed; one that ends fails what it had, and the next large body starts another. */
  function thread(): Worker {
    if (worker !== null) return worker;
    const made = new Worker(new URL(`./judgeWorker${extname(import.meta.filename)}`, import.meta.url), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: threadMegabytes },
    });
    made.unref();
    made.on('message', (reply: JudgeReply) => {
      const waiter = waiting.get(reply.id);
      waiting.delete(reply.id);
      if ('error' in reply) waiter?.fail(new Error(reply.error));
      else waiter?.settle(reply.judgement);
    });
    const end = (fault: Error) => {
      worker = null;
      for (const { fail } of waiting.values()) fail(fault);
      waiting.clear();
    };
    made.on('error', (fault) => end(fault instanceof Error ? fault : new Error(String(fault))));
    made.on('exit', (code) => end(new Error(`The judging thread has ended with code ${code}`)));
    worker = made;
    return made;
  }

  async function far(facts: Facts, policy: JudgeCall['policy'], expiresInMs: number | null): Promise<Judgement> {
    if (turns.length >= mostWaiting) throw new Error('Cannot judge: too many large bodies wait for it');
    if (busy >= atOnce) await new Promise<void>((resolve) => turns.push(resolve));
    busy++;
    try {
      return await send(facts, policy, expiresInMs);
    } finally {
      busy--;
      turns.shift()?.();
    }
  }

  function send(facts: Facts, policy: JudgeCall['policy'], expiresInMs: number | null): Promise<Judgement> {
    return new Promise((settle, fail) => {
      const id = next++;
      waiting.set(id, { settle, fail });
      // A copy that is handed over: the request's own bytes stay where they are to be sent from.
      const bytes = Uint8Array.from(facts.body.bytes);
      const call: JudgeCall = { id, facts: { ...facts, body: { ...facts.body, bytes } }, expiresInMs, policy };
      thread().postMessage(call, [bytes.buffer]);
    });
  }

  return {
    judge: (facts, expiresInMs) => {
      const policy = facts.policy === null ? undefined : policies().get(facts.policy);
      const isLarge = facts.body.length >= (mayBeCompressed(facts) ? largeCompressedBytes : largeBytes);
      if (policy === undefined || !isLarge || !(looksInside(policy) || facts.extractRecords !== null)) {
        return near(facts, expiresInMs);
      }
      const { id, digest, text } = policy;
      return far(facts, { id, digest, text }, expiresInMs);
    },
    close: async () => {
      await worker?.terminate();
    },
  };
}

/** Declared, or by the first bytes of gzip, zlib and zstd. */
function mayBeCompressed({ contentEncoding, body: { bytes } }: Facts): boolean {
  if (contentEncoding !== null && contentEncoding !== 'identity') return true;
  const [first, second] = bytes;
  const isGzip = first === 0x1f && second === 0x8b;
  const isZstd = first === 0x28 && second === 0xb5;
  return isGzip || isZstd || (first !== undefined && (first & 0x0f) === 8 && ((first << 8) | (second ?? 0)) % 31 === 0);
}
