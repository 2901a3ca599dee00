// What one transaction does to intents: find or make, apply one event, expire, recover. Synchronous; the caller commits.

import type { Database } from 'better-sqlite3';
import type { EventDraft } from '../../core/audit.ts';
import type { Decision } from '../../core/decision.ts';
import type { Header } from '../../core/facts.ts';
import type { IntentId } from '../../core/ids.ts';
import type { Intent, IntentCore, Reviewer } from '../../core/intent.ts';
import { advance, open, type IntentEvent, type Transition } from '../../core/lifecycle.ts';
import { isRefusal, refuse, type Refusal } from '../../core/reasons.ts';
import type { IntentRecord, KeptAnswer, StoredPayload, Submission, Submitted } from '../ports.ts';
import type { Cipher } from './cipher.ts';
import { prepareExecutions } from './executions.ts';
import { prepareFinding } from './finding.ts';
import type { Log } from './log.ts';
import { readHeaders, readIntent, stateColumns, unhex, writeHeaders, type IntentRow } from './rows.ts';

export interface Transactions {
  submit(submission: Submission): Submitted | Refusal;
  advance(id: IntentId, event: IntentEvent): IntentRecord | Refusal;
  record(events: readonly EventDraft[]): void;
  expireDue(limit: number): readonly IntentRecord[];
  recover(): number;
  viewPayload(id: IntentId, by: Reviewer): StoredPayload | Refusal | null;
  keepAnswer(id: IntentId, answer: KeptAnswer): void;
}

export function intentTransactions(db: Database, log: Log, cipher: Cipher): Transactions {
  const byId = db.prepare<[string], IntentRow>('SELECT id, state_json, about_json FROM intents WHERE public_id = ?');
  const due = db.prepare<[number, number], IntentRow>(
    'SELECT id, state_json, about_json FROM intents WHERE deadline <= ? ORDER BY deadline LIMIT ?',
  );
  const forwarding = db.prepare<[], IntentRow>(
    `SELECT id, state_json, about_json FROM intents WHERE status = 'scheduled' AND EXISTS (SELECT 1 FROM executions
     WHERE executions.intent = intents.id AND executions.status = 'executing')`,
  );
  const agentRow = db.prepare<[string], { id: number }>('SELECT id FROM principals WHERE public_id = ?');
  const insert = db.prepare(
    `INSERT INTO intents (public_id, agent, origin, status, destination, policy, fingerprint, distinct_by, created_at,
       deadline, found_until, counted, risk_score, state_json, about_json)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const update = db.prepare(
    'UPDATE intents SET status = ?, deadline = ?, found_until = ?, state_json = ? WHERE id = ?',
  );
  const insertPayload = db.prepare(
    'INSERT INTO payloads (intent, type, headers, has_secrets, body) VALUES (?, ?, ?, ?, ?)',
  );
  const secretHeaders = db.prepare<[number], { headers: Uint8Array }>(
    'SELECT headers FROM payloads WHERE intent = ? AND has_secrets = 1 AND headers IS NOT NULL',
  );
  const eraseSecrets = db.prepare('UPDATE payloads SET headers = ?, has_secrets = 0 WHERE intent = ?');
  const insertAnswer = db.prepare(
    'INSERT INTO answers (intent, status, headers, body, created_at) VALUES (?, ?, ?, ?, ?)',
  );
  const finding = prepareFinding(db);
  const recordExecution = prepareExecutions(db);
  const payload = db.prepare<[number], { type: string | null; headers: Uint8Array | null; body: Uint8Array | null }>(
    'SELECT type, headers, body FROM payloads WHERE intent = ?',
  );

  function submit(submission: Submission): Submitted | Refusal {
    const agent = agentRow.get(submission.agent.id)?.id;
    if (agent === undefined) return refuse('unauthorized');
    const at = log.now();
    const named = finding.byKey(agent, submission, at);
    if (named !== null && isRefusal(named)) return named;
    if (named?.meaning === 'this') return { outcome: 'found', record: named.record };
    const same = finding.bySameness(agent, submission, at);
    if (same !== null) {
      finding.name(agent, submission, same.row);
      return { outcome: 'found', record: same };
    }
    const record = create(submission, agent, at, named?.record.intent.id ?? null);
    finding.name(agent, submission, record.row);
    return { outcome: 'created', record };
  }

  function create(submission: Submission, agent: number, at: number, after: IntentId | null): IntentRecord {
    const { payload: content } = submission;
    const decision = decide(submission, agent, at);
    const about = { ...submission.about, decision, evaluatedAt: at, after };
    const { destination, policy, metadata, request } = about;
    const said = { destination, policy, intent: metadata, request: request && `${request.method} ${request.url}` };
    const opened = open(coreOf(submission, at), decision, said, at);
    const claim = claimOf(submission);
    // Both transitions before the first row is written: an allowed request costs one insert, not an update besides.
    const claimed = claim === null ? null : advance(opened.intent, claim, at);
    const isClaimed = claimed !== null && !isRefusal(claimed);
    const { intent } = isClaimed ? claimed : opened;
    const events = isClaimed ? [...opened.events, ...claimed.events] : opened.events;
    const decideBy = intent.status === 'pending_approval' ? intent.decideBy : null;
    const { status, deadline, found_until, state_json } = stateColumns(intent, decideBy);
    const row = Number(
      insert.run(
        intent.id,
        agent,
        about.origin,
        status,
        destination,
        policy,
        unhex(intent.fingerprint),
        submission.distinctBy,
        at,
        deadline,
        found_until,
        decision.verdict === 'block' ? 0 : 1,
        decision.because.risk.score,
        state_json,
        JSON.stringify(about),
      ).lastInsertRowid,
    );
    const headers = cipher.close(writeHeaders(content.headers), `${intent.id}/headers`);
    const hasSecrets = content.headers.some(([name]) => isSecretHeader(name)) ? 1 : 0;
    insertPayload.run(row, about.payload.type, headers, hasSecrets, cipher.close(content.bytes, `${intent.id}/body`));
    if (isClaimed && claim !== null) recordExecution(row, claim, at);
    for (const event of events) log.append(event, at, row);
    return { intent, about, row };
  }

  function decide({ judgement, about }: Submission, agent: number, at: number): Decision {
    const { rate, decision } = judgement;
    return rate !== null && finding.isOverLimit(agent, about.policy, rate.limit, at) ? rate.overLimit : decision;
  }

  function apply(record: IntentRecord, event: IntentEvent, at: number): IntentRecord | Refusal {
    const next = advance(record.intent, event, at);
    return isRefusal(next) ? next : write(record, next, event, at);
  }

  function write(record: IntentRecord, { intent, events }: Transition, event: IntentEvent, at: number): IntentRecord {
    if (events.length === 0) return record;
    const before = record.intent;
    const decideBy = before.status === 'pending_approval' ? before.decideBy : null;
    const { status, deadline, found_until, state_json } = stateColumns(intent, decideBy);
    update.run(status, deadline, found_until, state_json, record.row);
    recordExecution(record.row, event, at);
    if (isOver(intent)) erase(record.row, intent.id);
    for (const draft of events) log.append(draft, at, record.row);
    return { ...record, intent };
  }

  /** What would let a reader of the database act as the agent does not outlive the request. */
  function erase(row: number, id: IntentId): void {
    const stored = secretHeaders.get(row);
    if (stored === undefined) return;
    const headers = readHeaders(cipher.open(stored.headers, `${id}/headers`));
    const kept = headers.map(([name, value]): Header => [name, isSecretHeader(name) ? '' : value]);
    eraseSecrets.run(cipher.close(writeHeaders(kept), `${id}/headers`), row);
  }

  return {
    submit,
    advance: (id, event) => {
      const row = byId.get(id);
      return row === undefined ? refuse('not_found') : apply(readIntent(row), event, log.now());
    },
    record: (events) => {
      const at = log.now();
      for (const event of events) {
        const row = event.intent === null ? null : (byId.get(event.intent)?.id ?? null);
        log.append(event, at, row);
      }
    },
    expireDue: (limit) => {
      const at = log.now();
      return due.all(at, limit).flatMap((row) => {
        const done = apply(readIntent(row), { type: 'expire' }, at);
        return isRefusal(done) ? [] : [done];
      });
    },
    recover: () => {
      const at = log.now();
      const detail = 'Gate stopped while the request was under way';
      const open = forwarding.all();
      for (const row of open) apply(readIntent(row), { type: 'lost', execution: null, status: null, detail }, at);
      return open.length;
    },
    viewPayload: (id, by) => {
      const row = byId.get(id);
      if (row === undefined) return null;
      const stored = payload.get(row.id);
      if (stored === undefined || stored.body === null) return refuse('payload_purged');
      const { intent } = readIntent(row);
      const metadata = { digest: intent.fingerprint, bytes: stored.body.length };
      log.append({ type: 'payload_viewed', actor: by, intent: id, metadata }, log.now(), row.id);
      const headers = stored.headers === null ? [] : readHeaders(cipher.open(stored.headers, `${id}/headers`));
      return { type: stored.type, headers, bytes: cipher.open(stored.body, `${id}/body`) };
    },
    keepAnswer: (id, { status, headers, body }) => {
      const row = byId.get(id)?.id;
      if (row === undefined) throw new Error(`Cannot keep an answer: no intent "${id}"`);
      const head = cipher.close(writeHeaders(headers), `${id}/answer-headers`);
      insertAnswer.run(row, status, head, cipher.close(body, `${id}/answer`), log.now());
    },
  };
}

function claimOf({ agent, fingerprint, bindingDigest, claim: execution }: Submission): IntentEvent | null {
  if (execution === null) return null;
  const by = { name: agent.name, id: agent.id };
  return { type: 'claim', claim: { by, fingerprint, bindingDigest, execution } };
}

function isSecretHeader(name: string): boolean {
  return /^(authorization|cookie|x-api-key)$/i.test(name);
}

/** Nothing is sent of it any more. */
function isOver({ status }: Intent): boolean {
  return status !== 'pending_approval' && status !== 'approved' && status !== 'scheduled';
}

function coreOf(submission: Submission, at: number): IntentCore {
  const { agent, judgement } = submission;
  return {
    id: submission.id,
    agent: agent.id,
    agentName: agent.name,
    person: agent.person,
    selfApproval: judgement.selfApproval,
    fingerprint: submission.fingerprint,
    bindingDigest: submission.bindingDigest,
    createdAt: at,
    useWithinMs: judgement.useWithinMs,
    onBehalfOf: submission.onBehalfOf,
  };
}
