// Reads: lists, one intent, events, counts. They run on a read-only connection in a thread of their own.

import type { Database } from 'better-sqlite3';
import { refuse, type Refusal } from '../../core/reasons.ts';
import type {
  AuditQuery,
  ChainedEvent,
  Counts,
  IntentQuery,
  IntentRecord,
  KeptAnswer,
  StoredPayload,
} from '../ports.ts';
import { plain, type Cipher } from './cipher.ts';
import { readEvent, readHeaders, readIntent, type EventRow, type IntentRow } from './rows.ts';

export interface Queries {
  intent(id: string): IntentRecord | null;
  intents(query: IntentQuery): readonly IntentRecord[];
  events(query: AuditQuery): readonly ChainedEvent[];
  counts(): Counts;
  request(id: string): StoredPayload | null;
  keptAnswer(id: string): KeptAnswer | Refusal | null;
  replaysDue(limit: number): readonly IntentRecord[];
}

export function queries(db: Database, cipher: Cipher = plain): Queries {
  const one = db.prepare<[string], IntentRow>('SELECT id, state_json, about_json FROM intents WHERE public_id = ?');
  const selectEvents = `SELECT seq, at, type, intents.public_id AS intent, actor, actor_id, metadata_json, leaf, link, mac
    FROM audit LEFT JOIN intents ON intents.id = audit.intent`;
  const ofIntent = db.prepare<[string, number, number], EventRow>(
    `${selectEvents} WHERE audit.intent = (SELECT id FROM intents WHERE public_id = ?) AND seq > ?
     ORDER BY seq LIMIT ?`,
  );
  const ofLog = db.prepare<[number, string | null, string | null, number], EventRow>(
    `${selectEvents} WHERE seq > ? AND (? IS NULL OR type = ?) ORDER BY seq LIMIT ?`,
  );
  const tally = db.prepare<[], { type: string; n: number }>(
    `SELECT type, count(*) AS n FROM audit WHERE type IN ('proposed', 'approved', 'blocked', 'rejected',
     'execution_succeeded', 'duplicate_blocked') GROUP BY type`,
  );
  const statuses = db.prepare<[], { status: string; n: number }>(
    'SELECT status, count(*) AS n FROM intents GROUP BY status',
  );
  const latency = db.prepare<[], { ms: number | null }>(
    `SELECT avg(approval.at - intents.created_at) AS ms FROM audit AS approval JOIN intents ON intents.id = approval.intent
     WHERE approval.type = 'approved' AND approval.actor_id IS NOT NULL`,
  );
  const payload = db.prepare<[string], { type: string | null; headers: Uint8Array | null; body: Uint8Array | null }>(
    `SELECT type, headers, body FROM payloads JOIN intents ON intents.id = payloads.intent WHERE public_id = ?`,
  );
  const answer = db.prepare<[string], { status: number; headers: Uint8Array; body: Uint8Array | null }>(
    `SELECT answers.status, headers, body FROM answers JOIN intents ON intents.id = answers.intent
     WHERE public_id = ?`,
  );
  const replays = db.prepare<[number], IntentRow>(
    `SELECT id, state_json, about_json FROM intents
     WHERE status = 'approved' AND json_extract(about_json, '$.delivery') = 'replay' ORDER BY id LIMIT ?`,
  );
  return {
    request: (id) => {
      const stored = payload.get(id);
      if (stored === undefined || stored.body === null || stored.headers === null) return null;
      const headers = readHeaders(cipher.open(stored.headers, `${id}/headers`));
      return { type: stored.type, headers, bytes: cipher.open(stored.body, `${id}/body`) };
    },
    keptAnswer: (id) => {
      const stored = answer.get(id);
      if (stored === undefined) return null;
      if (stored.body === null) return refuse('payload_purged');
      const headers = readHeaders(cipher.open(stored.headers, `${id}/answer-headers`));
      return { status: stored.status, headers, body: cipher.open(stored.body, `${id}/answer`) };
    },
    replaysDue: (limit) => replays.all(limit).map(readIntent),
    intent: (id) => {
      const row = one.get(id);
      return row === undefined ? null : readIntent(row);
    },
    intents: (query) => {
      const { sql, values } = listing(query);
      return db
        .prepare<unknown[], IntentRow>(sql)
        .all(...values)
        .map(readIntent);
    },
    events: ({ intent, after, type, limit }) =>
      (intent === null ? ofLog.all(after, type, type, limit) : ofIntent.all(intent, after, limit)).map(readEvent),
    counts: () => {
      const events = new Map(tally.all().map(({ type, n }) => [type, n]));
      const now = new Map(statuses.all().map(({ status, n }) => [status, n]));
      const of = (type: string) => events.get(type) ?? 0;
      return {
        attempted: of('proposed'),
        blocked: of('blocked') + of('rejected'),
        pending: now.get('pending_approval') ?? 0,
        approved: of('approved'),
        succeeded: of('execution_succeeded'),
        failed: now.get('failed') ?? 0,
        duplicate: of('duplicate_blocked'),
        approvalLatencyMs: Math.round(latency.get()?.ms ?? 0),
      };
    },
  };
}

/** Keyset pages: each sort has a value and the row as tie-break, so a page costs the same wherever it begins. */
function listing(query: IntentQuery): { readonly sql: string; readonly values: readonly unknown[] } {
  const { status, destination, agent, sort, limit, cursor } = query;
  const where: string[] = [];
  const values: unknown[] = [];
  const only = (condition: string, ...given: readonly unknown[]) => {
    where.push(condition);
    values.push(...given);
  };
  if (status !== null) only('status = ?', status);
  if (destination !== null) only('destination = ?', destination);
  if (agent !== null) only('agent = (SELECT id FROM principals WHERE public_id = ?)', agent);
  if (sort === 'expires') only('deadline IS NOT NULL');
  const { value, order, after } = sorts[sort];
  if (cursor !== null) only(after, ...(sort === 'newest' ? [cursor.row] : [cursor.value, cursor.value, cursor.row]));
  const condition = where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`;
  const sql = `SELECT id, state_json, about_json, ${value} AS value FROM intents ${condition} ORDER BY ${order} LIMIT ?`;
  return { sql, values: [...values, limit] };
}

const sorts = {
  newest: { value: 'id', order: 'id DESC', after: 'id < ?' },
  expires: { value: 'deadline', order: 'deadline, id', after: '(deadline > ? OR (deadline = ? AND id > ?))' },
  risk: {
    value: 'risk_score',
    order: 'risk_score DESC, id DESC',
    after: '(risk_score < ? OR (risk_score = ? AND id < ?))',
  },
} as const;
