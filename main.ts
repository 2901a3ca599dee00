// The composition root: makes every part from a configuration, in order, and takes them down in reverse.

import { randomBytes } from 'node:crypto';
import { loadDestinations, loadPolicies } from './config/files.ts';
import { lockDataDir, makePrivateDir, readAuditKey } from './config/dataDir.ts';
import { isFault } from './config/faults.ts';
import type { Config } from './config/load.ts';
import { redeemSignInToken } from './config/signIn.ts';
import { startSweeper } from './control/approvals/expiry.ts';
import { createRefusalLog } from './control/audit/refusals.ts';
import { openDirectory } from './control/directory.ts';
import { createGate } from './control/gate.ts';
import { settleIdentities } from './control/identities.ts';
import { createMint } from './control/permit.ts';
import { createJudge } from './control/policy/judge.ts';
import { databaseFile } from './control/store/open.ts';
import { openSqliteStore } from './control/store/sqlite.ts';
import { system } from './core/intent.ts';
import { createBudget } from './proxy/body.ts';
import { createDialler } from './proxy/forward.ts';
import { createProxyServer } from './proxy/server.ts';

export interface RunningGate {
  readonly port: number;
  readonly proxyPort: number;
  /** Whether nobody can sign in yet but by a link. */
  readonly needsFirstAdmin: boolean;
  close(): Promise<void>;
}

/** Bytes of request bodies held at once, over all agents. */
const bodyBudgetBytes = 256 * 1024 * 1024;
/** What is under way at stop gets this long. */
const graceMs = 10_000;

export type StartFault = { readonly faults: readonly string[] };

export interface StartOptions {
  readonly onFault: (error: unknown) => void;
  /** Milliseconds added to the machine's clock, everywhere at once: a test moves time with it. */
  readonly clockOffset?: BigInt64Array;
}

export async function start(config: Config, options: StartOptions): Promise<RunningGate | StartFault> {
  const { onFault } = options;
  const clockOffset = options.clockOffset ?? new BigInt64Array(new SharedArrayBuffer(8));
  const policies = loadPolicies(config.policyDir.path);
  const destinations = loadDestinations(config.configDir.path);
  const faults = [policies, destinations].flatMap((loaded) => ('faults' in loaded ? loaded.faults : []));
  if ('faults' in policies || 'faults' in destinations) return { faults };

  makePrivateDir(config.dataDir);
  const lock = lockDataDir(config.dataDir);
  if (isFault(lock)) return { faults: [lock.fault] };
  const auditKey = readAuditKey(config.auditKeyFile, databaseFile(config.dataDir));
  if (isFault(auditKey)) {
    lock.release();
    return { faults: [auditKey.fault] };
  }

  const clock = { now: () => Date.now() + Number(Atomics.load(clockOffset, 0)) };
  const random = (length: number) => randomBytes(length);
  const { dataDir, dataKey } = config;
  const { key, logId } = auditKey;
  const store = await openSqliteStore({ dataDir, dataKey, auditKey: key, logId, clockOffset });
  const lost = await store.recover();
  await store.record([{ type: 'gate_started', actor: system, intent: null, metadata: { lost } }]);
  const directory = await openDirectory(store, clock);
  await settleIdentities(config, { store, directory, random });

  const { mint, spend } = createMint();
  const judge = createJudge(() => policies.value);
  const refusals = createRefusalLog(store);
  const keyOfTheKeyless = config.proxyApiKey;
  const gate = createGate({ store, directory, judge, mint, refusals, clock, random, keyOfTheKeyless });
  const ownPorts: number[] = [];
  const dialler = createDialler({
    spend,
    extraCa: config.upstreamCa,
    ownPorts: () => ownPorts,
    connectTimeoutMs: 10_000,
    answerTimeoutMs: 300_000,
  });
  const proxy = createProxyServer({
    floor: {
      gate,
      dialler,
      destinations: () => destinations.value,
      budget: createBudget(bodyBudgetBytes),
      newRequestId: () => randomBytes(8).toString('hex'),
    },
    onFault,
  });
  const sweeper = startSweeper(store, () => undefined, onFault);
  const proxyPort = await proxy.listen(config.proxyPort, config.proxyHost);
  ownPorts.push(proxyPort, config.port);

  // The API's libraries take longer to load than all of Gate: agents are served meanwhile.
  const { createApi } = await import('./control/api/server.ts');
  const api = createApi(
    {
      store,
      directory,
      clock,
      random,
      registration: config.registration,
      readiness: async () => [await storeReadiness(store)],
      redeemLink: (token) => redeemSignInToken(config.dataDir, token, clock.now()),
    },
    onFault,
  );
  const port = await api.listen(config.port, config.host);
  ownPorts.push(port);

  return {
    port,
    proxyPort,
    needsFirstAdmin: !directory.principals().some(({ role }) => role === 'admin'),
    close: async () => {
      sweeper.stop();
      await Promise.all([api.close(), proxy.close(graceMs)]);
      await dialler.close();
      await refusals.close();
      await store.record([{ type: 'gate_stopped', actor: system, intent: null, metadata: {} }]);
      await store.close();
      lock.release();
    },
  };
}

async function storeReadiness(store: Awaited<ReturnType<typeof openSqliteStore>>) {
  try {
    // An empty record goes the whole way through the writer and its commit.
    await store.record([]);
    return { name: 'store', isFine: true, detail: '' };
  } catch {
    return { name: 'store', isFine: false, detail: 'the store does not take writes' };
  }
}
