// A thread that owns one connection. The writer groups all calls that arrive while a commit runs into the next commit.

import type { Database } from 'better-sqlite3';
import { createSecretKey } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { plain, sealedWith } from './cipher.ts';
import { openLog, type Log } from './log.ts';
import { fatalOf, watchFile, type WatchedFile } from './faults.ts';
import { logIdentity, openReader, openWriter } from './open.ts';
import { principalTransactions } from './principals.ts';
import { queries } from './queries.ts';
import { intentTransactions } from './transactions.ts';

/** What a thread is started with; keys travel as bytes, since a thread shares no objects. */
export interface WorkerSetup {
  readonly role: 'writer' | 'reader';
  readonly file: string;
  readonly logId: string;
  readonly auditKey: Uint8Array;
  readonly dataKey: Uint8Array | null;
  /** Milliseconds added to the machine's clock; tests move time with it. */
  readonly clockOffset: BigInt64Array;
}

export interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

export type Reply = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

/** After this nothing can be written any more, and nothing is tried. */
export interface Fatal {
  readonly fatal: string;
}

interface Committed {
  readonly replies: readonly Reply[];
  readonly fatal: string | null;
}

type Methods = Record<string, (...args: never[]) => unknown>;

function serve(setup: WorkerSetup): void {
  if (parentPort === null) throw new Error('The store thread must be started by Gate');
  const port = parentPort;
  const cipher = setup.dataKey === null ? plain : sealedWith(createSecretKey(setup.dataKey));
  if (setup.role === 'reader') {
    const db = openReader(setup.file);
    const methods: Methods = { ...queries(db, cipher) };
    port.on('message', (calls: readonly Call[]) => port.postMessage(calls.map((call) => answer(db, methods, call))));
  } else {
    const db = openWriter(setup.file);
    logIdentity(db, setup.logId);
    const clock = { now: () => Date.now() + Number(Atomics.load(setup.clockOffset, 0)) };
    const log = openLog(db, createSecretKey(setup.auditKey), setup.logId, clock);
    const methods: Methods = { ...intentTransactions(db, log, cipher), ...principalTransactions(db, log) };
    const file = watchFile(setup.file);
    port.on(
      'message',
      grouped(db, log, methods, file, (message) => port.postMessage(message)),
    );
  }
  port.postMessage('ready');
}

/** Self-clocking: what arrives while a commit runs waits in the port and is taken together by the next turn. */
function grouped(
  db: Database,
  log: Log,
  methods: Methods,
  file: WatchedFile,
  reply: (message: readonly Reply[] | Fatal) => void,
) {
  const marks = prepareMarks(db);
  let waiting: Call[] = [];
  const commit = () => {
    const calls = waiting;
    waiting = [];
    const { replies, fatal } = inOneCommit(db, log, methods, marks, file, calls);
    if (calls.some(({ method }) => method === 'close')) db.close();
    reply(replies);
    if (fatal !== null) reply({ fatal });
  };
  return (calls: readonly Call[]) => {
    if (waiting.length === 0) setImmediate(commit);
    waiting.push(...calls);
  };
}

/** The statements around every call; compiled once, since they are run more often than any other. */
function prepareMarks(db: Database) {
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    save: db.prepare('SAVEPOINT one'),
    release: db.prepare('RELEASE one'),
  };
}

type Marks = ReturnType<typeof prepareMarks>;

/** A disk that fails may fail at this too; the transaction is then gone with the connection. */
function rollBack(db: Database): void {
  try {
    if (db.inTransaction) db.exec('ROLLBACK');
  } catch {
    db.close();
  }
}

/** Each call in a savepoint, so that one that fails undoes itself alone; a failed commit fails them all. */
function inOneCommit(
  db: Database,
  log: Log,
  methods: Methods,
  marks: Marks,
  file: WatchedFile,
  calls: readonly Call[],
): Committed {
  const before = log.head();
  try {
    marks.begin.run();
    const replies = calls.map((call) => inSavepoint(db, log, methods, marks, call));
    file.mustBeInPlace();
    marks.commit.run();
    return { replies, fatal: null };
  } catch (fault) {
    log.restore(before);
    rollBack(db);
    return { replies: calls.map(({ id }) => ({ id, error: textOf(fault) })), fatal: fatalOf(fault) };
  }
}

function inSavepoint(db: Database, log: Log, methods: Methods, marks: Marks, call: Call): Reply {
  if (call.method === 'close') return { id: call.id, value: null };
  const before = log.head();
  marks.save.run();
  try {
    const value = run(methods, call);
    marks.release.run();
    return { id: call.id, value };
  } catch (fault) {
    // SQLite rolls the whole transaction back on its worst errors; the commit then fails for the batch, as it must.
    if (!db.inTransaction) throw fault;
    db.exec('ROLLBACK TO one');
    db.exec('RELEASE one');
    log.restore(before);
    return { id: call.id, error: textOf(fault) };
  }
}

function answer(db: Database, methods: Methods, call: Call): Reply {
  if (call.method === 'close') {
    db.close();
    return { id: call.id, value: null };
  }
  try {
    return { id: call.id, value: run(methods, call) };
  } catch (fault) {
    return { id: call.id, error: textOf(fault) };
  }
}

function run(methods: Methods, { method, args }: Call): unknown {
  const found = methods[method];
  if (found === undefined) throw new Error(`Cannot call the store: no method "${method}"`);
  // What crossed the thread was typed by the port on the other side.
  return found(...(args as never[]));
}

function textOf(fault: unknown): string {
  return fault instanceof Error ? (fault.stack ?? fault.message) : String(fault);
}

serve(workerData);
