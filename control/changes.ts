// Who waits for an intent is told when it changes; whoever changes one says so here, once the change is durable.

import type { IntentId } from '../core/ids.ts';
import type { IntentRecord, Store } from './ports.ts';
import { isRefusal } from '../core/reasons.ts';

export type Listener = (record: IntentRecord) => void;

export interface Changes {
  publish(record: IntentRecord): void;
  /** Changes of one intent; call what is returned to hear no more. */
  onIntent(id: IntentId, listener: Listener): () => void;
  /** Changes of all. */
  onAny(listener: Listener): () => void;
}

export function createChanges(): Changes {
  const ofIntent = new Map<IntentId, Set<Listener>>();
  const ofAll = new Set<Listener>();
  return {
    publish: (record) => {
      for (const listener of ofAll) listener(record);
      for (const listener of ofIntent.get(record.intent.id) ?? []) listener(record);
    },
    onIntent: (id, listener) => {
      const listeners = ofIntent.get(id) ?? new Set();
      ofIntent.set(id, listeners);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) ofIntent.delete(id);
      };
    },
    onAny: (listener) => {
      ofAll.add(listener);
      return () => void ofAll.delete(listener);
    },
  };
}

/** The same store, whose changes of intents are published when they are durable. */
export function publishing(store: Store, changes: Changes): Store {
  return {
    ...store,
    advance: async (id, event) => {
      const record = await store.advance(id, event);
      if (!isRefusal(record)) changes.publish(record);
      return record;
    },
    expireDue: async (limit) => {
      const records = await store.expireDue(limit);
      for (const record of records) changes.publish(record);
      return records;
    },
  };
}
