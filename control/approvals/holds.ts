// Clients that wait on a stored intent: told of its decision, the youngest of them first, and never longer than meant.

import type { IntentId } from '../../core/ids.ts';
import type { Changes } from '../changes.ts';
import type { Clock, HeldClient, Holds, Waited } from '../ports.ts';

interface Waiter extends HeldClient {
  settle(result: Waited): void;
}

/** Sent away per turn of the loop: ten thousand at once must not keep a fresh request waiting. */
const sliceSize = 100;

export function createHolds(changes: Changes, clock: Clock): Holds {
  const waiting = new Map<IntentId, Waiter[]>();
  let isStopping = false;

  function settleAll(id: IntentId, result: (waiter: Waiter, index: number, count: number) => Waited) {
    const waiters = waiting.get(id) ?? [];
    waiting.delete(id);
    for (const [index, waiter] of waiters.entries()) waiter.settle(result(waiter, index, waiters.length));
  }

  changes.onAny(({ intent }) => {
    if (!waiting.has(intent.id) || intent.status === 'pending_approval') return;
    const isApproved = intent.status === 'approved';
    // The youngest stands last: an older one most likely gave up and came back as the younger.
    settleAll(intent.id, (_, index, count) => (!isApproved ? 'over' : index === count - 1 ? 'yours' : 'taken'));
  });

  return {
    wait: ({ intent, request, budgetMs, gone }) => {
      if (isStopping) return Promise.resolve('restarting');
      if (gone.aborted) return Promise.resolve('gone');
      const { promise, resolve } = Promise.withResolvers<Waited>();
      const heldSince = clock.now();
      const leave = (result: Waited) => () => {
        const others = (waiting.get(intent.id) ?? []).filter((other) => other !== waiter);
        if (others.length === 0) waiting.delete(intent.id);
        else waiting.set(intent.id, others);
        waiter.settle(result);
      };
      const [leaveGone, leaveLate] = [leave('gone'), leave('still_pending')];
      const timer = setTimeout(leaveLate, budgetMs);
      gone.addEventListener('abort', leaveGone, { once: true });
      const waiter: Waiter = {
        intent,
        request,
        heldSince,
        expiresAt: heldSince + budgetMs,
        settle: (result) => {
          clearTimeout(timer);
          gone.removeEventListener('abort', leaveGone);
          resolve(result);
        },
      };
      waiting.set(intent.id, [...(waiting.get(intent.id) ?? []), waiter]);
      return promise;
    },
    list: () => [...waiting.values()].flat(),
    stop: async () => {
      isStopping = true;
      let sent = 0;
      for (const id of waiting.keys()) {
        settleAll(id, () => 'restarting');
        if (++sent % sliceSize === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
