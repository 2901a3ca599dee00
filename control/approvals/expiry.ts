// Ends what nobody decided or used in time, without being asked.

import type { IntentRecord, Store } from '../ports.ts';

export interface Sweeper {
  stop(): void;
}

const everyMs = 1_000;
/** Ended per transaction, so that a mass expiry does not keep other writes waiting. */
const sliceSize = 200;

export function startSweeper(
  store: Pick<Store, 'expireDue'>,
  onExpired: (records: readonly IntentRecord[]) => void,
  onFault: (error: unknown) => void,
): Sweeper {
  let isRunning = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    sweep(store, onExpired)
      .catch(onFault)
      .finally(() => {
        isRunning = false;
      });
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

async function sweep(store: Pick<Store, 'expireDue'>, onExpired: (records: readonly IntentRecord[]) => void) {
  for (;;) {
    const ended = await store.expireDue(sliceSize);
    if (ended.length > 0) onExpired(ended);
    if (ended.length < sliceSize) return;
  }
}
