// `keys reset-admin`: ends every admin key and prints a new sign-in link. Needs Gate stopped.

import { lockDataDir, readAuditKey } from '../config/dataDir.ts';
import { isFault } from '../config/faults.ts';
import { environment, loadConfig } from '../config/load.ts';
import { makeSignInToken } from '../config/signIn.ts';
import { databaseFile, logState } from '../control/store/open.ts';
import { openSqliteStore } from '../control/store/sqlite.ts';
import { system } from '../core/intent.ts';
import { gateUrl } from './client.ts';

export async function resetAdmin(options: { readonly dataDir?: string }): Promise<void> {
  const config = loadConfig({ dataDir: options.dataDir }, environment());
  if ('faults' in config) throw new Error(config.faults.join('\n'));
  const { dataDir, dataKey, auditKeyFile } = config;
  const lock = lockDataDir(dataDir);
  if (isFault(lock)) throw new Error(lock.fault);
  const auditKey = readAuditKey(auditKeyFile, databaseFile(dataDir), logState);
  if (isFault(auditKey)) throw new Error(auditKey.fault);
  const store = await openSqliteStore({ dataDir, dataKey, auditKey: auditKey.key, logId: auditKey.logId });
  const { principals, keys } = await store.principals();
  const admins = new Set(principals.filter(({ role }) => role === 'admin').map(({ id }) => id));
  const ended = keys.filter(({ principal, revokedAt }) => admins.has(principal) && revokedAt === null);
  for (const { id } of ended) await store.revokeKey(id, system);
  await store.close();
  const token = makeSignInToken(dataDir, Date.now());
  lock.release();
  process.stdout.write(`${ended.length} admin keys ended. Start Gate, then sign in (good once, 15 minutes):\n`);
  process.stdout.write(`${gateUrl({})}/dashboard#link=${token}\n`);
}
