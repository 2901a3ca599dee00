// The composition root: makes every part from a configuration, in order, and takes them down in reverse.

import { randomBytes } from 'node:crypto';
import type { Destinations, Entry } from './config/destinations.ts';
import { lockDataDir, makePrivateDir, readAuditKey } from './config/dataDir.ts';
import { loadCa } from './ca/authority.ts';
import { createLeaves } from './ca/leaf.ts';
import { isFault } from './config/faults.ts';
import { loadConfiguration, watchConfiguration, type InForce } from './config/inForce.ts';
import type { Config } from './config/load.ts';
import { redeemSignInToken } from './config/signIn.ts';
import { startSweeper } from './control/approvals/expiry.ts';
import { createRefusalLog, type RefusalLog } from './control/audit/refusals.ts';
import { createHolds } from './control/approvals/holds.ts';
import { createChanges, publishing } from './control/changes.ts';
import { openDirectory } from './control/directory.ts';
import { createGate } from './control/gate.ts';
import { settleIdentities } from './control/identities.ts';
import { createMint } from './control/permit.ts';
import { keyOf } from './control/policy/explain.ts';
import { createJudging } from './control/judging.ts';
import { createRestore } from './control/restore.ts';
import type { RefusedRequest } from './control/ports.ts';
import { databaseFile, logState } from './control/store/open.ts';
import { openSqliteStore } from './control/store/sqlite.ts';
import { system } from './core/intent.ts';
import type { Refusal } from './core/reasons.ts';
import { createBudget } from './proxy/body.ts';
import { createDialler } from './proxy/forward.ts';
import { createReplayer, replayDelaysMs } from './proxy/replay.ts';
import { createProxyServer } from './proxy/server.ts';

export interface RunningGate {
  readonly port: number;
  readonly proxyPort: number;
  /** Hosts whose requests are judged and let go, at the start. */
  readonly observed: readonly string[];
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
  /** Called once, with a sentence, when nothing can be recorded any more; nothing is sent from then on. */
  readonly onFatal?: (why: string) => void;
  /** One line for the operator while Gate runs, such as a fault in a file that was edited. */
  readonly say?: (line: string) => void;
  /** Told of every refusal of a known agent, before it is answered. */
  readonly onRefused?: (refusal: Refusal, request: RefusedRequest) => void;
  /** Milliseconds added to the machine's clock, everywhere at once: a test moves time with it. */
  readonly clockOffset?: BigInt64Array;
  /** Milliseconds before each try of a request that Gate sends by itself. */
  readonly replayDelaysMs?: readonly number[];
}

export async function start(config: Config, options: StartOptions): Promise<RunningGate | StartFault> {
  const { onFault, onFatal = () => undefined } = options;
  const clockOffset = options.clockOffset ?? new BigInt64Array(new SharedArrayBuffer(8));
  const dirs = { policies: config.policyDir.path, configuration: config.configDir.path };
  const loaded = loadConfiguration(dirs);
  if ('faults' in loaded) return loaded;

  makePrivateDir(config.dataDir);
  const lock = lockDataDir(config.dataDir);
  if (isFault(lock)) return { faults: [lock.fault] };
  const auditKey = readAuditKey(config.auditKeyFile, databaseFile(config.dataDir), logState);
  if (isFault(auditKey)) {
    lock.release();
    return { faults: [auditKey.fault] };
  }

  const ca = loadCa(config.dataDir, Date.now());
  if (isFault(ca)) {
    lock.release();
    return { faults: [ca.fault] };
  }

  const clock = { now: () => Date.now() + Number(Atomics.load(clockOffset, 0)) };
  const random = (length: number) => randomBytes(length);
  const { dataDir, dataKey } = config;
  const { key, logId } = auditKey;
  const changes = createChanges();
  const bare = await openSqliteStore({ dataDir, dataKey, auditKey: key, logId, clockOffset, onFatal });
  const store = publishing(bare, changes);
  const lost = await store.recover();
  await store.record([{ type: 'gate_started', actor: system, intent: null, metadata: { lost } }]);
  const directory = await openDirectory(store, clock);
  await settleIdentities(config, { store, directory, random });

  const { mint, spend } = createMint();
  const inForce = watchConfiguration(dirs, loaded.value, {
    record: (events) => store.record(events),
    say: options.say ?? (() => undefined),
    onError: onFault,
  });
  const judging = createJudging(inForce.policies);
  const { judge } = judging;
  const refusals = telling(createRefusalLog(store), options.onRefused);
  const keyOfTheKeyless = config.proxyApiKey;
  const restore = createRestore({ store, directory, destinations: inForce.destinations });
  const gate = createGate({
    store,
    directory,
    judge,
    mint,
    refusals,
    clock,
    changes,
    restore,
    random,
    keyOfTheKeyless,
  });
  const holds = createHolds(changes, clock);
  const ownPorts: number[] = [];
  const dialler = createDialler({
    spend,
    extraCa: config.upstreamCa,
    ownPorts: () => ownPorts,
    connectTimeoutMs: 10_000,
    answerTimeoutMs: 300_000,
  });
  let publicUrl = config.publicUrl ?? '';
  const proxy = createProxyServer({
    contextFor: config.tlsIntercept === 'on' ? createLeaves(ca, clock.now) : null,
    floor: {
      gate,
      dialler,
      destinations: inForce.destinations,
      budget: createBudget(bodyBudgetBytes),
      newRequestId: () => randomBytes(8).toString('hex'),
      holds,
      holdTimeoutMs: config.holdTimeoutMs,
      publicUrl: () => publicUrl,
    },
    onFault,
  });
  const replayer = createReplayer({
    gate,
    dialler,
    store,
    changes,
    onFault,
    delaysMs: options.replayDelaysMs ?? replayDelaysMs,
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
      changes,
      holds,
      random,
      registration: config.registration,
      readiness: async () => [await storeReadiness(store), ...configurationReadiness(inForce)],
      caPem: ca.pem,
      redeemLink: (token) => redeemSignInToken(config.dataDir, token, clock.now()),
    },
    onFault,
  );
  const port = await api.listen(config.port, config.host);
  ownPorts.push(port);
  if (config.publicUrl === null) publicUrl = `http://${config.host}:${port}`;
  await replayer.start();

  return {
    port,
    proxyPort,
    observed: observedHosts(inForce.destinations()),
    needsFirstAdmin: !directory.principals().some(({ role }) => role === 'admin'),
    close: async () => {
      inForce.stop();
      sweeper.stop();
      const closed = Promise.all([api.close(), proxy.close(graceMs)]);
      await Promise.all([holds.stop(), replayer.stop()]);
      await closed;
      await dialler.close();
      await judging.close();
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

function observedHosts({ hosts, fallback }: Destinations): readonly string[] {
  const isObserved = ({ reads, writes }: Entry) => reads === 'observe' || writes === 'observe';
  const all = fallback === null ? hosts : [...hosts, fallback];
  const found = all.filter((host) => isObserved(host) || host.paths.some(([, entry]) => isObserved(entry)));
  return found.map(keyOf);
}

/** The name of the file is enough; where on the server it lies is nobody's business who only asks for its health. */
function withoutPath(fault: string): string {
  return fault.replaceAll(/(?:\/[^\s/:"()]+)+\/([^\s/:"()]+)/g, '$1');
}

function configurationReadiness(inForce: InForce) {
  return inForce
    .parts()
    .map(({ name, faults }) => ({ name, isFine: faults.length === 0, detail: faults.map(withoutPath).join('; ') }));
}

function telling(log: RefusalLog, onRefused: StartOptions['onRefused']): RefusalLog {
  if (onRefused === undefined) return log;
  return {
    ...log,
    record: (refusal, request) => {
      if (request.agent !== null) onRefused(refusal, request);
      return log.record(refusal, request);
    },
  };
}
