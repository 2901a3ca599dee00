// A Gate in a process of its own that can be killed, on a directory and before an upstream that outlive it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageDir } from '../../config/load.ts';
import { runCommand, startGate, type GateProcess } from '../../demo/processes.ts';
import { temporaryDir } from '../support/gate.ts';
import { startUpstream, type Behaviour, type Upstream } from '../support/upstream.ts';

export interface Site {
  readonly upstream: Upstream;
  readonly databaseFile: string;
  /** Starts Gate on the directory, as it was left. */
  start(): Promise<GateProcess>;
  /** Starts Gate and kills it `afterMs` later, wherever in its start that is. */
  startAndKill(afterMs: number): Promise<void>;
  /** Calls the control API as admin; rejects when no whole answer comes. */
  api(gate: GateProcess, method: string, path: string, body?: object): Promise<ApiAnswer>;
  registerAgent(gate: GateProcess): Promise<string>;
  verifyAudit(): Promise<{ readonly exitCode: number | null; readonly output: string }>;
  close(): Promise<void>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Record<string, any>;
}

/** What the API lists of an intent, as far as these tests look. */
export interface ListedIntent {
  readonly intentId: string;
  readonly status: string;
  readonly upstreamStatus: number | null;
  readonly payload: { readonly sha256: string };
}

export interface ListedEvent {
  readonly seq: number;
  readonly eventType: string;
  readonly intentId: string | null;
}

const flags = ['--port', '0', '--proxy-port', '0'];

export async function openSite(policies: Readonly<Record<string, string>>, behave?: Behaviour): Promise<Site> {
  const dir = temporaryDir();
  const upstream = await startUpstream(behave);
  mkdirSync(join(dir, 'config'));
  mkdirSync(join(dir, 'policies'));
  for (const [id, text] of Object.entries(policies)) writeFileSync(join(dir, 'policies', `${id}.yaml`), text);
  const entries = Object.keys(policies).map(
    (id) => `${id}.test: { destination: ${id}.write, policy: ${id}, records: 1, dial: "127.0.0.1:${upstream.port}" }\n`,
  );
  writeFileSync(join(dir, 'config', 'destinations.yaml'), entries.join(''));
  const adminKey = `gate_sk_${randomBytes(24).toString('hex')}`;
  // The cache halves the time that a start takes, of which a loop of kills has many.
  const env = { GATE_ADMIN_KEY: adminKey, NODE_COMPILE_CACHE: join(dir, 'compiled') };

  const api: Site['api'] = async (gate, method, path, body) => {
    const headers = { Authorization: `Bearer ${adminKey}`, 'Content-Type': 'application/json' };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const answer = await fetch(`${gate.controlUrl}${path}`, init);
    return { status: answer.status, body: JSON.parse(await answer.text()) };
  };
  return {
    upstream,
    databaseFile: join(dir, 'data', 'gate.db'),
    start: () => startGate(flags, env, dir),
    startAndKill: async (afterMs) => {
      const command = [join(packageDir, 'cli.ts'), 'serve', ...flags];
      const child = spawn(process.execPath, command, { cwd: dir, env, stdio: 'ignore' });
      const exit = once(child, 'exit');
      setTimeout(() => child.kill('SIGKILL'), afterMs);
      const [, signal] = await exit;
      assert.equal(signal, 'SIGKILL', 'Gate ended by itself while it was starting');
    },
    api,
    registerAgent: async (gate) =>
      String((await api(gate, 'POST', '/v1/agents/register', { name: 'a' })).body['apiKey']),
    verifyAudit: () => runCommand(['audit', 'verify'], env, dir),
    close: async () => {
      await upstream.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Every intent there is, page by page. */
export async function allIntents(site: Site, gate: GateProcess): Promise<readonly ListedIntent[]> {
  const found: ListedIntent[] = [];
  for (let cursor = ''; ;) {
    const { status, body } = await site.api(gate, 'GET', `/v1/intents?limit=500${cursor}`);
    assert.equal(status, 200);
    found.push(...body['intents']);
    if (body['next'] === null) return found;
    cursor = `&cursor=${body['next']}`;
  }
}

/** The types of each intent's events, oldest first. */
export async function allTrails(site: Site, gate: GateProcess): Promise<ReadonlyMap<string, readonly string[]>> {
  const trails = new Map<string, string[]>();
  for (let after = 0; ;) {
    const { body } = await site.api(gate, 'GET', `/v1/audit?limit=1000&after=${after}`);
    const page: readonly ListedEvent[] = Object.values(body);
    for (const { intentId, eventType } of page) {
      if (intentId === null) continue;
      const trail = trails.get(intentId) ?? [];
      trail.push(eventType);
      trails.set(intentId, trail);
    }
    const last = page.at(-1);
    if (last === undefined) return trails;
    after = last.seq;
  }
}
