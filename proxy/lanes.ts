// One request at a time per connection: what is pipelined behind it waits, so that answers never overtake each other.

import type { Duplex } from 'node:stream';

export interface Lanes {
  /** Runs `turn` when everything before it on this connection is done; false when too much waits already. */
  enter(socket: Duplex, turn: () => Promise<void>): boolean;
  /** Requests of a connection that are not yet answered. */
  busy(socket: Duplex): number;
  /** From now on the connection takes no further request. */
  poison(socket: Duplex): void;
  isPoisoned(socket: Duplex): boolean;
}

/** Requests read ahead on one connection; a client that pipelines more is cut off. */
const maxWaiting = 32;

interface Lane {
  open: number;
  last: Promise<void>;
  poisoned: boolean;
}

export function createLanes(): Lanes {
  const lanes = new WeakMap<Duplex, Lane>();
  const laneOf = (socket: Duplex): Lane => {
    const lane = lanes.get(socket) ?? { open: 0, last: Promise.resolve(), poisoned: false };
    lanes.set(socket, lane);
    return lane;
  };
  return {
    enter: (socket, turn) => {
      const lane = laneOf(socket);
      if (lane.poisoned || lane.open >= maxWaiting) return false;
      lane.open++;
      const done = () => {
        lane.open--;
      };
      lane.last = lane.open === 1 ? turn().finally(done) : lane.last.then(turn).finally(done);
      return true;
    },
    busy: (socket) => lanes.get(socket)?.open ?? 0,
    poison: (socket) => {
      laneOf(socket).poisoned = true;
    },
    isPoisoned: (socket) => lanes.get(socket)?.poisoned ?? false,
  };
}
