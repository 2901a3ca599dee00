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
  const made = readAuditKey(keyFile, database);
  assert.ok(!isFault(made));
  assert.equal(modeOf(keyFile), '600');
  assert.deepEqual(readAuditKey(keyFile, database), made);
});

test('an audit key that others may read is refused, with what to do', () => {
  readAuditKey(keyFile, database);
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(keyFile, mode);
    const found = readAuditKey(keyFile, database);
    assert.ok(isFault(found));
    assert.match(found.fault, /chmod 600/);
  }
});

test('no new audit key is made for a log whose own is missing', () => {
  writeFileSync(database, '');
  assert.ok(isFault(readAuditKey(keyFile, database)));
});

test('an audit key that is no key is refused, and not shown', () => {
  writeFileSync(keyFile, 'secret', { mode: 0o600 });
  const found = readAuditKey(keyFile, database);
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
