// Opens the database file: durable settings read back, the schema brought up to date, the log's identity checked.

import Database from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const migrations = ['001.sql'];

export function openWriter(file: string): Database.Database {
  const db = new Database(file, { timeout: 5_000 });
  // The library re-opens a WAL database at NORMAL, which may lose a commit at power loss: set, then believe the answer.
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('foreign_keys = ON');
  db.pragma('cache_size = -65536');
  db.pragma('wal_autocheckpoint = 4000');
  const durability = db.pragma('synchronous', { simple: true });
  if (durability !== 2)
    throw new Error(`Cannot open "${file}": synchronous must be 2 (FULL), found ${String(durability)}`);
  migrate(db);
  return db;
}

/** For lists, exports and verification; works beside a running Gate and cannot write. */
export function openReader(file: string): Database.Database {
  const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 5_000 });
  db.pragma('query_only = ON');
  return db;
}

function migrate(db: Database.Database): void {
  const found = Number(db.pragma('user_version', { simple: true }));
  if (found > migrations.length) {
    throw new Error(`Cannot open the database: it is of schema ${found}, this Gate knows up to ${migrations.length}`);
  }
  for (const [index, name] of migrations.entries()) {
    if (index < found) continue;
    const sql = readFileSync(join(import.meta.dirname, 'migrations', name), 'utf8');
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${index + 1}`);
    })();
  }
}

/** The log's own name, in the database and beside the audit key: a database that was replaced does not match. */
export function logIdentity(db: Database.Database, expected: string | null): string {
  const found = db.prepare<[], { value: string }>(`SELECT value FROM meta WHERE name = 'log_id'`).get()?.value;
  if (found !== undefined && expected !== null && found !== expected) {
    throw new Error('Cannot open the audit log: it is not the log that the audit key belongs to; was it replaced?');
  }
  if (found !== undefined) return found;
  const id = expected ?? randomBytes(16).toString('hex');
  db.prepare(`INSERT INTO meta (name, value) VALUES ('log_id', ?)`).run(id);
  return id;
}

export function databaseFile(dataDir: string): string {
  return join(dataDir, 'gate.db');
}

/** Makes the database where there is none; whether its log has an event yet. */
export function logState(file: string): 'empty' | 'written' {
  const db = openWriter(file);
  const first = db.prepare('SELECT 1 FROM audit LIMIT 1').get();
  // A name that was given before a key was made for it belongs to nothing.
  if (first === undefined) db.exec(`DELETE FROM meta WHERE name = 'log_id'`);
  db.close();
  return first === undefined ? 'empty' : 'written';
}
