import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import Database from 'better-sqlite3';
import { logIdentity, openReader, openWriter } from '../../../control/store/open.ts';
import { openSqliteStore } from '../../../control/store/sqlite.ts';
import { temporaryDir } from '../../support/gate.ts';

let dir: string;
let file: string;

beforeEach(() => {
  dir = temporaryDir();
  file = join(dir, 'gate.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('every commit is flushed: the database is opened at synchronous FULL, anew each time', () => {
  for (let n = 0; n < 2; n++) {
    const db = openWriter(file);
    assert.equal(db.pragma('synchronous', { simple: true }), 2);
    assert.equal(db.pragma('journal_mode', { simple: true }), 'wal');
    db.close();
  }
});

test('a database that does not take synchronous FULL is not used', (t) => {
  // As a library that knows better would have it.
  const pragma = Reflect.get(Database.prototype, 'pragma');
  t.mock.method(Database.prototype, 'pragma', function (this: Database.Database, source: string, options?: object) {
    return Reflect.apply(pragma, this, [source === 'synchronous = FULL' ? 'synchronous = NORMAL' : source, options]);
  });
  assert.throws(() => openWriter(file), /synchronous must be 2 \(FULL\), found 1/);
});

test('L04: a database that takes the place of the log’s own is refused', async () => {
  const auditKey = randomBytes(32);
  const store = await openSqliteStore({ dataDir: dir, auditKey, logId: 'a'.repeat(32), dataKey: null });
  await store.close();
  const other = openSqliteStore({ dataDir: dir, auditKey, logId: 'b'.repeat(32), dataKey: null });
  await assert.rejects(other, /not the log that the audit key belongs to/);
});

test('a log keeps the name that it was given', () => {
  const db = openWriter(file);
  assert.equal(logIdentity(db, 'a'.repeat(32)), 'a'.repeat(32));
  assert.equal(logIdentity(db, null), 'a'.repeat(32));
  db.close();
});

test('a database of a later schema is refused, not guessed at', () => {
  const db = openWriter(file);
  db.pragma('user_version = 999');
  db.close();
  assert.throws(() => openWriter(file), /schema 999/);
});

test('who reads beside a running Gate cannot write', () => {
  openWriter(file).close();
  const db = openReader(file);
  assert.throws(() => db.exec(`INSERT INTO meta VALUES ('a', 'b')`));
  db.close();
});
