// Lets the event loop turn, so that no body, however large, keeps every other request waiting.

import { setImmediate } from 'node:timers/promises';

/** Units of text or bytes between two turns: a few milliseconds of the slowest work done on them. */
const unitsPerBreath = 64 * 1024;

/** Counts work by its size, since nothing here has a clock. */
export class Breath {
  #left = unitsPerBreath;

  /** True when it is time to `take` one. */
  isDue(units: number): boolean {
    this.#left -= units;
    return this.#left <= 0;
  }

  take(): Promise<void> {
    this.#left = unitsPerBreath;
    return breathe();
  }
}

export function breathe(): Promise<void> {
  return setImmediate();
}
