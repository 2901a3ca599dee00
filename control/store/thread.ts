// The main thread's end of a store thread: calls of one turn travel in one message, and a dead thread fails them all.

import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Call, Fatal, Reply, WorkerSetup } from './worker.ts';

export interface StoreThread {
  call(method: string, args: readonly unknown[]): Promise<unknown>;
  /** Goes through the same queue, so it comes after every call made before it. */
  close(): Promise<void>;
}

interface Waiting {
  readonly settle: (value: unknown) => void;
  readonly fail: (fault: Error) => void;
}

/** `onFatal` is called once, with a sentence, when nothing can be written any more. */
export async function startThread(setup: WorkerSetup, onFatal: (why: string) => void): Promise<StoreThread> {
  const worker = new Worker(new URL(`./worker${extname(import.meta.filename)}`, import.meta.url), {
    workerData: setup,
    // The thread needs nothing of the environment, where keys may stand.
    env: {},
  });
  const waiting = new Map<number, Waiting>();
  let queue: Call[] = [];
  let next = 0;
  /** Set once no call is taken any more. */
  let ended: Error | null = null;

  const end = (fault: Error) => {
    ended = fault;
    for (const { fail } of waiting.values()) fail(fault);
    waiting.clear();
  };
  const failOne = (one: Call | undefined, fault: unknown) => {
    const waiter = one === undefined ? undefined : waiting.get(one.id);
    if (one !== undefined) waiting.delete(one.id);
    waiter?.fail(fault instanceof Error ? fault : new Error(String(fault)));
  };
  const post = () => {
    const calls = queue;
    queue = [];
    try {
      worker.postMessage(calls);
    } catch (fault) {
      // What cannot travel fails; it takes no other call of the same turn with it.
      if (calls.length === 1) return failOne(calls[0], fault);
      for (const one of calls) {
        queue = [one];
        post();
      }
    }
  };
  const call = (method: string, args: readonly unknown[]) =>
    new Promise<unknown>((settle, fail) => {
      if (ended !== null) return fail(ended);
      const id = next++;
      waiting.set(id, { settle, fail });
      if (queue.length === 0) queueMicrotask(post);
      queue.push({ id, method, args });
    });

  await new Promise<void>((ready, fail) => {
    worker.once('message', () => ready());
    worker.once('error', fail);
  });
  worker.on('error', (fault) => end(fault instanceof Error ? fault : new Error(String(fault))));
  worker.on('exit', (code) => end(new Error(`The store thread has ended with code ${code}`)));
  worker.on('message', (replies: readonly Reply[] | Fatal) => {
    if ('fatal' in replies) {
      end(new Error(replies.fatal));
      return onFatal(replies.fatal);
    }
    for (const reply of replies) {
      const waiter = waiting.get(reply.id);
      waiting.delete(reply.id);
      if ('error' in reply) waiter?.fail(new Error(reply.error));
      else waiter?.settle(reply.value);
    }
  });
  return {
    call,
    close: async () => {
      if (ended !== null) return;
      const last = call('close', []);
      ended = new Error('The store is closed');
      await last.catch(() => undefined);
      await worker.terminate();
    },
  };
}
