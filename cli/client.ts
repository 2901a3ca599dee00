// The command line as a client of Gate's own API.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { environment } from '../config/load.ts';

export interface ClientOptions {
  readonly url?: string;
  readonly key?: string;
}

export interface ApiClient {
  get(path: string): Promise<unknown>;
  getBytes(path: string): Promise<Uint8Array>;
  post(path: string, body: object): Promise<unknown>;
}

/** What the API said instead of an answer; its message is for the person at the terminal. */
export class ApiRefusal extends Error {}

const timeoutMs = 30_000;

export function gateUrl({ url }: ClientOptions): string {
  const env = environment();
  return (url ?? env['GATE_URL'] ?? `http://127.0.0.1:${env['PORT'] ?? '4000'}`).replace(/\/+$/, '');
}

export function connect(options: ClientOptions): ApiClient {
  const base = gateUrl(options);
  const key = options.key ?? environment()['GATE_ADMIN_KEY'] ?? keptKey(base);
  const call = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = { ...(key === null ? {} : { Authorization: `Bearer ${key}` }), 'Content-Type': 'application/json' };
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(`${base}${path}`, { ...init, headers, redirect: 'error', signal }).catch(() => null);
    if (answer === null) throw new ApiRefusal(`Cannot reach Gate at ${base}: is it running there?`);
    if (!answer.ok) throw new ApiRefusal(await messageOf(answer));
    return answer;
  };
  return {
    get: async (path) => (await call(path, { method: 'GET' })).json(),
    getBytes: async (path) => new Uint8Array(await (await call(path, { method: 'GET' })).arrayBuffer()),
    post: async (path, body) => (await call(path, { method: 'POST', body: JSON.stringify(body) })).json(),
  };
}

async function messageOf(answer: Response): Promise<string> {
  const body: unknown = await answer.json().catch(() => null);
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : '';
  const how = answer.status === 401 ? '; sign in with: zehrava-gate login LINK' : '';
  return `Gate says ${answer.status}: ${message}${how}`;
}

/** Keys kept by `login`, by Gate's address, readable by their owner alone. */
function keysFile(): string {
  const home = environment()['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return join(home, 'zehrava-gate', 'keys.json');
}

function readKeys(): Record<string, string> {
  return existsSync(keysFile()) ? JSON.parse(readFileSync(keysFile(), 'utf8')) : {};
}

function keptKey(base: string): string | null {
  return readKeys()[base] ?? null;
}

export function keepKey(base: string, key: string): string {
  const file = keysFile();
  const keys = { ...readKeys(), [base]: key };
  mkdirSync(join(file, '..'), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return file;
}
