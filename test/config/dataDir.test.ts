import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { lockDataDir, makePrivateDir, readAuditKey } from '../../config/dataDir.ts';
import { isFault } from '../../config/faults.ts';
import { makeSignInToken, redeemSignInToken } from '../../config/signIn.ts';
import { temporaryDir } from '../support/gate.ts';

let dir: string;
let keyFile: string;
let database: string;

beforeEach(() => {
  dir = temporaryDir();
  keyFile = join(dir, 'audit.key');
  database = join(dir, 'gate.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** As the store does where there is no event yet: the database is made before its key. */
const empty = (file: string) => {
  writeFileSync(file, '');
  return 'empty' as const;
};
const written = () => 'written' as const;
const readKey = (stateOf: Parameters<typeof readAuditKey>[2] = empty) => readAuditKey(keyFile, database, stateOf);

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('the data directory is its owner’s alone, even where it was there before', () => {
  const data = join(dir, 'data');
  mkdirSync(data, { mode: 0o755 });
  chmodSync(data, 0o755);
  makePrivateDir(data);
  assert.equal(modeOf(data), '700');
});

test('M12: of two Gates on one data directory the second is refused, and told of the first', () => {
  const first = lockDataDir(dir);
  assert.ok(!isFault(first));
  const second = lockDataDir(dir);
  assert.ok(isFault(second));
  assert.match(second.fault, new RegExp(`another Gate runs on it, pid ${process.pid}$`));
  first.release();
  const third = lockDataDir(dir);
  assert.ok(!isFault(third));
  third.release();
});

test('the audit key is made once, for its owner alone', () => {
  const made = readKey();
  assert.ok(!isFault(made));
  assert.equal(modeOf(keyFile), '600');
  assert.deepEqual(readKey(), made);
});

test('an audit key that others may read is refused, with what to do', () => {
  readKey();
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(keyFile, mode);
    const found = readKey();
    assert.ok(isFault(found));
    assert.match(found.fault, /chmod 600/);
  }
});

test('no new audit key is made for a log whose own is missing', () => {
  assert.ok(isFault(readKey(written)));
});

test('L04: no new database is made for an audit key whose own is missing', () => {
  readKey();
  rmSync(database);
  assert.ok(isFault(readKey()));
});

test('an audit key that is no key is refused, and not shown', () => {
  writeFileSync(database, '');
  writeFileSync(keyFile, 'secret', { mode: 0o600 });
  const found = readKey();
  assert.ok(isFault(found) && !found.fault.includes('secret'));
});

test('a sign-in link is good once, for fifteen minutes, and lies nowhere readable', () => {
  const token = makeSignInToken(dir, 1_000);
  assert.ok(!readFileSync(join(dir, 'sign-in'), 'utf8').includes(token));
  assert.equal(redeemSignInToken(dir, 'f'.repeat(48), 2_000), false);
  assert.equal(redeemSignInToken(dir, token, 2_000), true);
  assert.equal(redeemSignInToken(dir, token, 2_000), false);
  const late = makeSignInToken(dir, 1_000);
  assert.equal(redeemSignInToken(dir, late, 1_000 + 15 * 60_000), false);
});
