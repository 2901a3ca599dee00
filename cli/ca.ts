// `ca`: the certificate that clients trust, and a new one in its place.

import { loadCa, rotateCa } from '../ca/authority.ts';
import { lockDataDir } from '../config/dataDir.ts';
import { isFault } from '../config/faults.ts';
import { environment, loadConfig } from '../config/load.ts';

export interface CaOptions {
  readonly dataDir?: string;
}

export function printCa(options: CaOptions): void {
  const ca = loadCa(dataDirOf(options), Date.now());
  if (isFault(ca)) throw new Error(ca.fault);
  process.stdout.write(ca.pem);
}

/** Needs Gate stopped: a running one has its key in memory. */
export function rotate(options: CaOptions): void {
  const dataDir = dataDirOf(options);
  const lock = lockDataDir(dataDir);
  if (isFault(lock)) throw new Error(lock.fault);
  rotateCa(dataDir, Date.now());
  lock.release();
  process.stdout.write('A new CA signs from the next start; give clients what `ca print` prints: both certificates\n');
}

function dataDirOf({ dataDir }: CaOptions): string {
  const config = loadConfig({ dataDir }, environment());
  if ('faults' in config) throw new Error(config.faults.join('\n'));
  return config.dataDir;
}
