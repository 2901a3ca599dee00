// A store in a directory of its own, with a clock that the test moves.

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Store } from '../../control/ports.ts';
import { openSqliteStore } from '../../control/store/sqlite.ts';
import { temporaryDir } from './gate.ts';
import { agent, reviewer } from './intents.ts';

export interface TestStore {
  readonly store: Store;
  readonly dir: string;
  readonly auditKey: Buffer;
  readonly logId: string;
  advanceClock(ms: number): void;
  /** Closes it and opens the same directory again. */
  reopen(): Promise<TestStore>;
  close(): Promise<void>;
}

interface Given {
  readonly dir: string;
  readonly auditKey: Buffer;
  readonly logId: string;
  readonly dataKey: Buffer | null;
}

export async function openTestStore(dataKey: Buffer | null = null): Promise<TestStore> {
  const given = { dir: temporaryDir(), auditKey: randomBytes(32), logId: randomBytes(16).toString('hex'), dataKey };
  const made = await open(given);
  await made.store.addPrincipal(
    {
      id: agent.id,
      kind: 'agent',
      name: agent.name,
      role: 'agent',
      status: 'active',
      createdAt: 0,
      agent: {
        riskTier: 'standard',
        owner: null,
        person: null,
        environment: null,
        framework: null,
        allowedPolicies: null,
        allowedDestinations: null,
        metadata: {},
      },
    },
    { id: `key_${'a'.repeat(32)}`, hash: 'a'.repeat(64) },
    { name: reviewer.name, id: reviewer.id },
  );
  return made;
}

async function open(given: Given): Promise<TestStore> {
  const { dir: dataDir, auditKey, logId, dataKey } = given;
  const clockOffset = new BigInt64Array(new SharedArrayBuffer(8));
  const store = await openSqliteStore({ dataDir, auditKey, logId, dataKey, clockOffset });
  return {
    store,
    dir: dataDir,
    auditKey,
    logId,
    advanceClock: (ms) => void Atomics.add(clockOffset, 0, BigInt(ms)),
    reopen: async () => {
      await store.close();
      return open(given);
    },
    close: async () => {
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
