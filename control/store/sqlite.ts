// The embedded store: one writer thread and one reader thread on a SQLite file.

import type { Store } from '../ports.ts';
import { databaseFile } from './open.ts';
import { startThread } from './thread.ts';

export interface SqliteOptions {
  readonly dataDir: string;
  readonly logId: string;
  /** 32 bytes each; `dataKey` null leaves payloads unencrypted. */
  readonly auditKey: Uint8Array;
  readonly dataKey: Uint8Array | null;
  readonly clockOffset?: BigInt64Array;
  /** Called once, with a sentence, when the store cannot write any more; every call then rejects. */
  readonly onFatal?: (why: string) => void;
}

const written = [
  'submit',
  'advance',
  'record',
  'expireDue',
  'recover',
  'viewPayload',
  'keepAnswer',
  'principals',
  'addPrincipal',
  'setStatus',
  'addKey',
  'revokeKey',
] as const satisfies readonly (keyof Store)[];

const read = [
  'intent',
  'intents',
  'events',
  'counts',
  'request',
  'keptAnswer',
  'replaysDue',
] as const satisfies readonly (keyof Store)[];

/** Opens or makes the database of a data directory that the caller has locked. */
export async function openSqliteStore(options: SqliteOptions): Promise<Store> {
  const { dataDir, logId, auditKey, dataKey, onFatal = () => undefined } = options;
  const clockOffset = options.clockOffset ?? new BigInt64Array(new SharedArrayBuffer(8));
  const setup = { file: databaseFile(dataDir), logId, auditKey, dataKey, clockOffset };
  const writer = await startThread({ ...setup, role: 'writer' }, onFatal);
  const reader = await startThread({ ...setup, role: 'reader' }, onFatal);
  let isClosed = false;
  const remote = (thread: typeof writer, methods: readonly string[]) =>
    methods.map((method) => [
      method,
      (...args: unknown[]) => (isClosed ? Promise.reject(new Error('The store is closed')) : thread.call(method, args)),
    ]);
  // The one place where the types of the port meet what travels between threads.
  return Object.fromEntries([
    ...remote(writer, written),
    ...remote(reader, read),
    [
      'close',
      async () => {
        isClosed = true;
        // The last connection to close folds the write-ahead log into the database: that is the writer's.
        await reader.close();
        await writer.close();
      },
    ],
  ]) as Store;
}
