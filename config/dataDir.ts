// The data directory: made private, locked for one Gate, and holding the audit key beside the database.

import Database from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fault, type ConfigFault } from './faults.ts';

export interface DataDirLock {
  release(): void;
}

export function makePrivateDir(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
}

/**
 * Locks by an exclusive SQLite transaction on a file of its own: the kernel releases it when the process ends, however
 * it ends. A second Gate is told the first one's pid.
 */
export function lockDataDir(dir: string): DataDirLock | ConfigFault {
  const pidFile = join(dir, 'gate.pid');
  const db = new Database(join(dir, 'gate.lock'), { timeout: 0 });
  try {
    db.pragma('journal_mode = MEMORY');
    db.exec('BEGIN EXCLUSIVE');
  } catch {
    db.close();
    const pid = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').trim() : 'unknown';
    return fault(`Cannot use data directory "${dir}": another Gate runs on it, pid ${pid}`);
  }
  writeDurably(pidFile, `${process.pid}\n`);
  chmodSync(join(dir, 'gate.lock'), 0o600);
  return { release: () => db.close() };
}

export interface AuditKey {
  readonly key: Buffer;
  readonly logId: string;
}

/**
 * Reads the key that proves the log, or makes it for a log without an event: an empty database is made first, so that a
 * crash between the two leaves nothing that the next start could not tell from a log that lost its key.
 */
export function readAuditKey(
  file: string,
  database: string,
  stateOf: (database: string) => 'empty' | 'written',
): AuditKey | ConfigFault {
  if (existsSync(file)) {
    if (existsSync(database)) return parseAuditKey(file);
    const remedy = `was it deleted? Remove "${file}" to begin a new log`;
    return fault(`Cannot open "${database}": there is an audit key but no database; ${remedy}`);
  }
  if (stateOf(database) === 'written') {
    return fault(`Cannot read audit key "${file}": it is missing, but the log it proves is not`);
  }
  const made = { key: randomBytes(32), logId: randomBytes(16).toString('hex') };
  writeDurably(file, `${made.key.toString('hex')} ${made.logId}\n`);
  return made;
}

export function parseAuditKey(file: string): AuditKey | ConfigFault {
  if ((statSync(file).mode & 0o077) !== 0) {
    return fault(`Cannot read audit key "${file}": others may read it; run chmod 600 on it`);
  }
  const found = /^([0-9a-f]{64}) ([0-9a-f]{32})\n?$/.exec(readFileSync(file, 'utf8'));
  if (found?.[1] === undefined || found[2] === undefined) {
    return fault(`Cannot read audit key "${file}": 64 and 32 hexadecimal digits needed`);
  }
  return { key: Buffer.from(found[1], 'hex'), logId: found[2] };
}

/** Whole or not at all, through a crash: written aside, flushed, renamed, the directory flushed. */
export function writeDurably(file: string, text: string): void {
  const aside = `${file}.new`;
  const fd = openSync(aside, 'w', 0o600);
  writeSync(fd, text);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(aside, file);
  const dir = openSync(dirname(file), 'r');
  fsyncSync(dir);
  closeSync(dir);
}
