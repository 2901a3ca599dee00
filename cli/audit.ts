// `audit`: the log as lines, and the proof that nothing in it was changed. Both work beside a running Gate.

import { createSecretKey } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseAuditKey } from '../config/dataDir.ts';
import { isFault } from '../config/faults.ts';
import { environment, loadConfig } from '../config/load.ts';
import { readLine, writeLine } from '../control/audit/lines.ts';
import { verifyLog, type ExportedEvent, type Trust, type Verdict } from '../control/audit/verify.ts';
import { databaseFile, openReader } from '../control/store/open.ts';
import { queries } from '../control/store/queries.ts';

export interface AuditOptions {
  readonly dataDir?: string;
  readonly file?: string;
  readonly head?: string;
  readonly key?: string;
}

const pageSize = 1_000;

export async function exportAudit(options: AuditOptions): Promise<void> {
  for await (const event of stored(databaseFile(dirs(options).dataDir))) {
    if (!process.stdout.write(`${writeLine(event)}\n`))
      await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}

/** Exit status 1 on a fault in the log, 2 when it cannot be read. */
export async function verifyAudit(options: AuditOptions): Promise<void> {
  if (options.head !== undefined && !/^[0-9a-f]{64}$/.test(options.head)) {
    throw new Error(`Cannot verify: --head must be 64 hexadecimal digits, found "${options.head}"`);
  }
  const { dataDir, auditKeyFile } = dirs(options);
  const keyFile = options.key ?? (options.file === undefined ? auditKeyFile : null);
  const proof = keyFile === null ? null : parseAuditKey(keyFile);
  if (proof !== null && isFault(proof)) throw new Error(proof.fault);
  const trust: Trust = {
    logId: proof?.logId ?? null,
    key: proof === null ? null : createSecretKey(proof.key),
    head: options.head ?? null,
  };
  const events = options.file === undefined ? stored(databaseFile(dataDir)) : inFile(options.file);
  const verdict = await verifyLog(events, trust);
  if (trust.key !== null && verdict.events > 0 && verdict.faults.length === verdict.events) {
    process.stdout.write('The key fits no event: is it this log’s key?\n');
    process.exitCode = 1;
    return;
  }
  for (const { seq, kind } of verdict.faults) process.stdout.write(`event ${seq}: ${kind}\n`);
  if (verdict.faults.length > 0) process.exitCode = 1;
  const proven = trust.key === null ? 'links hold; without the key who wrote them is unproven' : 'links and keys hold';
  const tail = tailOf(verdict);
  if (verdict.faults.length === 0) {
    process.stdout.write(`${verdict.events} events: ${proven}; ${tail}; head ${verdict.head ?? 'none'}\n`);
  }
}

function tailOf({ provenTo, events }: Verdict): string {
  if (provenTo === null) return 'without an expected head the tail is unproven';
  return provenTo === events
    ? 'the head is the expected one'
    : `your head is event ${provenTo}; the ones after it are unproven`;
}

function dirs({ dataDir }: AuditOptions) {
  const config = loadConfig({ dataDir }, environment());
  if ('faults' in config) throw new Error(config.faults.join('\n'));
  return config;
}

async function* stored(file: string): AsyncGenerator<ExportedEvent> {
  const db = openReader(file);
  try {
    const log = queries(db);
    for (let after = 0; ;) {
      const page = log.events({ intent: null, after, type: null, limit: pageSize });
      yield* page;
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.seq;
    }
  } finally {
    db.close();
  }
}

/** A line that is no event stands for one that was altered beyond reading. */
async function* inFile(file: string): AsyncGenerator<ExportedEvent> {
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    line++;
    const event = readLine(text);
    if (event !== null) yield event;
    else process.stdout.write(`line ${line}: not an event\n`);
    if (event === null) process.exitCode = 1;
  }
}
