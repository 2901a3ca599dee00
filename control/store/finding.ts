// Which stored intent a request means: by its idempotency key, or because it is the same request; and how many count.

import type { Database } from 'better-sqlite3';
import type { RateLimit } from '../../core/decision.ts';
import type { Intent } from '../../core/intent.ts';
import { isOver } from '../../core/lifecycle.ts';
import { refuse, type Refusal } from '../../core/reasons.ts';
import type { IntentRecord, Submission } from '../ports.ts';
import { readIntent, unhex, type IntentRow } from './rows.ts';

/** `this`: the request means that intent. `first`: a new intent is made that names that one as its first. */
export type Named = { readonly meaning: 'this' | 'first'; readonly record: IntentRecord };

export interface Finding {
  byKey(agent: number, submission: Submission, now: number): Named | Refusal | null;
  bySameness(agent: number, submission: Submission, now: number): IntentRecord | null;
  name(agent: number, submission: Submission, row: number): void;
  /** Whether the agent has as many counted intents under the policy as the limit allows, in either rolling window. */
  isOverLimit(agent: number, policy: string | null, limit: RateLimit, now: number): boolean;
}

const hourMs = 3_600_000;

export function prepareFinding(db: Database): Finding {
  const named = db.prepare<[number, string, string], IntentRow>(
    `SELECT intents.id, state_json, about_json FROM idempotency JOIN intents ON intents.id = idempotency.intent
     WHERE idempotency.agent = ? AND idempotency.origin = ? AND idempotency.key = ?`,
  );
  const same = db.prepare<[number, Uint8Array, number, string | null], IntentRow>(
    `SELECT id, state_json, about_json FROM intents
     WHERE agent = ? AND fingerprint = ? AND found_until > ? AND distinct_by IS ? ORDER BY id DESC LIMIT 1`,
  );
  const give = db.prepare('INSERT OR REPLACE INTO idempotency (agent, origin, key, intent) VALUES (?, ?, ?, ?)');
  // The n-th newest counted intent inside the window: its presence is the answer, at a cost flat in the window's size.
  const nth = db.prepare<[number, string | null, number, number], { created_at: number }>(
    `SELECT created_at FROM intents WHERE agent = ? AND policy IS ? AND counted = 1 AND created_at > ?
     ORDER BY created_at DESC LIMIT 1 OFFSET ?`,
  );
  return {
    byKey: (agent, submission, now) => {
      const { idempotencyKey, fingerprint, about } = submission;
      const row = idempotencyKey === null ? undefined : named.get(agent, about.origin, idempotencyKey);
      if (row === undefined) return null;
      const record = readIntent(row);
      if (record.intent.fingerprint !== fingerprint) return refuse('idempotency_mismatch');
      return { meaning: isOpenOrDone(record.intent, submission, now) ? 'this' : 'first', record };
    },
    bySameness: (agent, { singleFlight, fingerprint, distinctBy }, now) => {
      const row = singleFlight === 'apart' ? undefined : same.get(agent, unhex(fingerprint), now, distinctBy);
      return row === undefined ? null : readIntent(row);
    },
    name: (agent, { idempotencyKey, about }, row) => {
      if (idempotencyKey !== null) give.run(agent, about.origin, idempotencyKey, row);
    },
    isOverLimit: (agent, policy, { perHour, perDay }, now) => {
      const isReached = (count: number | null, windowMs: number) =>
        count !== null && (count === 0 || nth.get(agent, policy, now - windowMs, count - 1) !== undefined);
      return isReached(perHour, hourMs) || isReached(perDay, 24 * hourMs);
    },
  };
}

/** Whether the key's intent still speaks for it; a failed, ended or refused one lets the request be judged anew. */
function isOpenOrDone(intent: Intent, { idempotent }: Submission, now: number): boolean {
  switch (intent.status) {
    case 'scheduled':
    case 'succeeded':
      return true;
    case 'unknown':
      return idempotent === 'no';
    case 'pending_approval':
    case 'approved':
      return !isOver(intent, now);
    case 'blocked':
    case 'expired':
    case 'failed':
      return false;
  }
}
