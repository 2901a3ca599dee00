// Refusals on record: one row each for known agents; for unknown clients one per source and reason in ten seconds.

import type { EventDraft } from '../../core/audit.ts';
import { system } from '../../core/intent.ts';
import type { Refusal } from '../../core/reasons.ts';
import type { RefusedRequest, Store } from '../ports.ts';

export interface RefusalLog {
  /** Durable when it resolves; of a flood from one source the first is, and the count of the others after the window. */
  record(refusal: Refusal, request: RefusedRequest): Promise<void>;
  /** Writes the counts that still wait. */
  close(): Promise<void>;
}

const windowMs = 10_000;
/** Sources and reasons counted at once; what comes beyond is counted together under one row. */
const maxWindows = 1_000;

interface Window {
  readonly first: Promise<void>;
  readonly draft: EventDraft;
  more: number;
  readonly timer: NodeJS.Timeout;
}

export function createRefusalLog(store: Pick<Store, 'record'>): RefusalLog {
  const windows = new Map<string, Window>();

  async function close(key: string) {
    const window = windows.get(key);
    windows.delete(key);
    if (window === undefined) return;
    clearTimeout(window.timer);
    if (window.more === 0) return;
    const metadata = { ...window.draft.metadata, count: window.more };
    await store.record([{ ...window.draft, metadata }]).catch(() => undefined);
  }

  return {
    record: async (refusal, request) => {
      const draft = draftOf(refusal, request);
      if (request.agent !== null) return store.record([draft]);
      const isFull = windows.size >= maxWindows;
      const key = `${isFull ? 'others' : request.source} ${refusal.refused}`;
      const open = windows.get(key);
      if (open !== undefined) {
        open.more++;
        return open.first;
      }
      const first = store.record([draft]);
      const timer = setTimeout(() => void close(key), windowMs);
      timer.unref();
      windows.set(key, { first, draft, more: 0, timer });
      return first;
    },
    close: async () => {
      await Promise.all([...windows.keys()].map(close));
    },
  };
}

function draftOf(refusal: Refusal, request: RefusedRequest): EventDraft {
  const { requestId, source, agent, method, host, path } = request;
  const actor = agent === null ? system : { name: agent.name, id: agent.id };
  const metadata = { reason_code: refusal.refused, requestId, source, method: method.slice(0, 32), host, path };
  return { type: 'refused', actor, intent: null, metadata };
}
