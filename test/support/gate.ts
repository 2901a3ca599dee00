// A whole Gate for a test: in this process, on ports of its own, in a directory that is removed afterwards.

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, packageDir, type Environment } from '../../config/load.ts';
import { start } from '../../main.ts';
import { rawClient, type RawAnswer, type RawClient } from './raw.ts';

export interface TestGate {
  readonly dir: string;
  readonly controlUrl: string;
  readonly proxyPort: number;
  readonly adminKey: string;
  /** An agent that was registered at the start, and its key. */
  readonly agentId: string;
  readonly agentKey: string;
  /** Faults inside Gate so far; a test that expects none asserts so. */
  readonly faults: readonly unknown[];
  api(method: string, path: string, body?: object, key?: string): Promise<ApiAnswer>;
  approve(intent: string): Promise<ApiAnswer>;
  /** Sends one request through the proxy and reads its answer. */
  send(request: ProxyRequest): Promise<RawAnswer>;
  client(): RawClient;
  /** Moves time for all of Gate. */
  advanceClock(ms: number): void;
  /** Stops it as a signal does, and leaves its directory. */
  stop(): Promise<void>;
  remove(): Promise<void>;
  /** Both. */
  close(): Promise<void>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Record<string, any>;
  readonly text: string;
  readonly headers: Headers;
}

export interface ProxyRequest {
  readonly method?: string;
  readonly url: string;
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
  readonly key?: string | null;
}

export interface TestGateOptions {
  readonly destinations: string;
  readonly policies?: Readonly<Record<string, string>>;
  readonly env?: Environment;
  readonly dir?: string;
  /** An agent that is registered already. */
  readonly agentKey?: string;
  readonly replayDelaysMs?: readonly number[];
  readonly ports?: { readonly control: number; readonly proxy: number };
}

/** In memory where the machine has such a directory: the tests are about Gate, not about the disk. */
export function temporaryDir(): string {
  // Whoever ends tests before they can clean up gives them a directory to remove afterwards.
  const base = process.env['GATE_TEST_DIR'] ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
  return mkdtempSync(join(base, 'zehrava-gate-test-'));
}

export async function startTestGate(options: TestGateOptions): Promise<TestGate> {
  const dir = options.dir ?? temporaryDir();
  const isOwnDir = options.dir === undefined;
  const adminKey = `gate_sk_${randomBytes(24).toString('hex')}`;
  mkdirSync(join(dir, 'config'), { recursive: true });
  writeFileSync(join(dir, 'config', 'destinations.yaml'), options.destinations);
  const policyDir = options.policies === undefined ? join(packageDir, 'policies') : join(dir, 'policies');
  if (options.policies !== undefined) {
    mkdirSync(policyDir, { recursive: true });
    for (const [id, text] of Object.entries(options.policies)) writeFileSync(join(policyDir, `${id}.yaml`), text);
  }
  const flags = {
    port: String(options.ports?.control ?? 0),
    proxyPort: String(options.ports?.proxy ?? 0),
    dataDir: join(dir, 'data'),
    policyDir,
    configDir: join(dir, 'config'),
  };
  const config = loadConfig(flags, { GATE_ADMIN_KEY: adminKey, ...options.env });
  if ('faults' in config) throw new Error(config.faults.join('\n'));
  const clockOffset = new BigInt64Array(new SharedArrayBuffer(8));
  const faults: unknown[] = [];
  const { replayDelaysMs } = options;
  const running = await start(config, {
    onFault: (error) => void faults.push(error),
    clockOffset,
    ...(replayDelaysMs === undefined ? {} : { replayDelaysMs }),
  });
  if ('faults' in running) throw new Error(running.faults.join('\n'));
  const controlUrl = `http://127.0.0.1:${running.port}`;
  const clients = new Set<RawClient>();

  const api: TestGate['api'] = async (method, path, body, key = config.adminKey ?? '') => {
    const headers = { ...(key === '' ? {} : { Authorization: `Bearer ${key}` }), 'Content-Type': 'application/json' };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const answer = await fetch(`${controlUrl}${path}`, init);
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: answer.status, body: isJson ? JSON.parse(text) : {}, text, headers: answer.headers };
  };
  const client = () => {
    const made = rawClient(running.proxyPort);
    clients.add(made);
    return made;
  };
  const registered =
    options.agentKey === undefined ? await api('POST', '/v1/agents/register', { name: 'test-agent' }) : null;
  const agentId = registered?.body['agentId'] ?? '';
  const agentKey = registered?.body['apiKey'] ?? options.agentKey;
  const stop = () => running.close();
  const remove = async () => rmSync(dir, { recursive: true, force: true });
  return {
    dir,
    controlUrl,
    proxyPort: running.proxyPort,
    adminKey: config.adminKey ?? '',
    agentId,
    agentKey,
    faults,
    api,
    approve: (intent) => api('POST', `/v1/intents/${intent}/approve`, {}),
    client,
    send: async (request) => {
      const one = client();
      one.send(wire({ key: agentKey, ...request }));
      try {
        return await one.answer({ head: request.method === 'HEAD' });
      } finally {
        one.end();
      }
    },
    advanceClock: (ms) => void Atomics.add(clockOffset, 0, BigInt(ms)),
    stop,
    remove,
    close: async () => {
      for (const one of clients) one.end();
      await stop();
      if (isOwnDir) await remove();
    },
  };
}

/** The bytes of a request as a proxy's client sends it. */
export function wire({ method = 'POST', url, headers = [], body, key }: ProxyRequest): Buffer {
  const { host } = new URL(url);
  const lines = [`${method} ${url} HTTP/1.1`, `Host: ${host}`];
  if (key !== null && key !== undefined) lines.push(proxyAuthorization(key));
  lines.push(...headers);
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body ?? '')]);
}

export function proxyAuthorization(key: string): string {
  return `Proxy-Authorization: Basic ${Buffer.from(`agent:${key}`).toString('base64')}`;
}

/** Waits until a condition holds, without guessing how long that takes; gives up after ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>, what = 'it'): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what} did not come true`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
