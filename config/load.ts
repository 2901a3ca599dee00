// Flags, environment and files become one frozen configuration; the only reader of the environment.

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isApiKey } from '../core/ids.ts';

export interface Flags {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly proxyPort?: string | undefined;
  readonly proxyHost?: string | undefined;
  readonly dataDir?: string | undefined;
  readonly policyDir?: string | undefined;
  readonly configDir?: string | undefined;
  readonly insecureControl?: boolean | undefined;
}

export interface Directory {
  readonly path: string;
  /** Whether it is the one that comes with the package, because the default one is absent. */
  readonly origin: 'own' | 'shipped';
}

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly proxyPort: number;
  readonly proxyHost: string;
  readonly dataDir: string;
  readonly policyDir: Directory;
  readonly configDir: Directory;
  readonly adminKey: string | null;
  readonly proxyApiKey: string | null;
  readonly registration: 'first' | 'open' | 'admin';
  /** PEM texts trusted upstream besides the usual ones. */
  readonly tlsIntercept: 'on' | 'off';
  /** The longest that any client is held, in milliseconds. */
  readonly holdTimeoutMs: number;
  readonly upstreamCa: readonly string[];
  readonly publicUrl: string | null;
  readonly dataKey: Buffer | null;
  readonly auditKeyFile: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process; whoever needs it is given it. */
export function environment(): Environment {
  return process.env;
}

/** Either the whole configuration, or one sentence per fault. */
export function loadConfig(flags: Flags, env: Environment): Config | { readonly faults: readonly string[] } {
  const faults: string[] = [];
  const wrong = (what: string, wanted: string, found: string) => {
    faults.push(`Cannot start: ${what} must be ${wanted}, found "${found}"`);
  };
  const setting = (flag: string | undefined, name: string, fallback: string) => flag ?? (env[name] || fallback);
  const port = (flag: string | undefined, name: string, label: string, fallback: string) => {
    const text = setting(flag, name, fallback);
    if (!/^(0|[1-9][0-9]{0,4})$/.test(text) || Number(text) > 65_535) wrong(label, 'a port from 0 to 65535', text);
    return Number(text);
  };
  const secret = (name: string, pattern: RegExp, wanted: string) => {
    const text = env[name];
    if (text === undefined || text === '') return null;
    // A secret's value is never shown, not even a wrong one.
    if (!pattern.test(text)) faults.push(`Cannot start: ${name} must be ${wanted}`);
    return text;
  };
  const directory = (flag: string | undefined, name: string, label: string, fallback: string): Directory => {
    const named = flag ?? (env[name] || undefined);
    const path = resolve(named ?? fallback);
    if (existsSync(path)) return { path, origin: 'own' };
    if (named === undefined) return { path: join(packageDir, fallback), origin: 'shipped' };
    wrong(label, 'a directory that exists', named);
    return { path, origin: 'own' };
  };

  const host = setting(flags.host, 'GATE_HOST', '127.0.0.1');
  if (!isLoopback(host) && flags.insecureControl !== true) {
    wrong('--host', 'a loopback address, or be meant with --insecure-control', host);
  }
  const dataDir = resolve(setting(flags.dataDir, 'DATA_DIR', './data'));
  const keyWanted = 'gate_sk_ and 48 hexadecimal digits';
  const adminKey = secret('GATE_ADMIN_KEY', /^gate_sk_[0-9a-f]{48}$/, keyWanted);
  const dataKey = secret('GATE_DATA_KEY', /^[0-9a-fA-F]{64}$/, '64 hexadecimal digits (32 bytes)');
  const config = {
    port: port(flags.port, 'PORT', '--port', '4000'),
    host,
    proxyPort: port(flags.proxyPort, 'PROXY_PORT', '--proxy-port', '4001'),
    proxyHost: setting(flags.proxyHost, 'GATE_PROXY_HOST', '127.0.0.1'),
    dataDir,
    policyDir: directory(flags.policyDir, 'POLICY_DIR', '--policy-dir', 'policies'),
    configDir: directory(flags.configDir, 'GATE_CONFIG_DIR', '--config-dir', 'config'),
    adminKey,
    proxyApiKey: env['PROXY_API_KEY'] || null,
    registration: registrationOf(env['GATE_REGISTRATION'] || 'first', wrong),
    tlsIntercept: interceptionOf(env['GATE_TLS_INTERCEPT'] || 'true', wrong),
    holdTimeoutMs: milliseconds(env['GATE_HOLD_TIMEOUT_MS'] || '900000', wrong),
    upstreamCa: certificates(env['GATE_UPSTREAM_CA'] || null, wrong),
    publicUrl: env['GATE_PUBLIC_URL'] || null,
    dataKey: dataKey === null ? null : Buffer.from(dataKey, 'hex'),
    auditKeyFile: resolve(env['GATE_AUDIT_KEY_FILE'] || join(dataDir, 'audit.key')),
  };
  if (config.proxyApiKey !== null && !isApiKey(config.proxyApiKey)) {
    faults.push(`Cannot start: PROXY_API_KEY must be ${keyWanted}`);
  }
  faults.push(...unsafe(env));
  return faults.length > 0 ? { faults } : Object.freeze(config);
}

/** Where policies/ and config/ of the package lie. */
export const packageDir = join(import.meta.dirname, '..');

type Wrong = (what: string, wanted: string, found: string) => void;

function registrationOf(text: string, wrong: Wrong): Config['registration'] {
  if (text === 'first' || text === 'open' || text === 'admin') return text;
  wrong('GATE_REGISTRATION', 'first, open or admin', text);
  return 'admin';
}

function interceptionOf(text: string, wrong: Wrong): Config['tlsIntercept'] {
  if (text === 'true' || text === 'false') return text === 'true' ? 'on' : 'off';
  wrong('GATE_TLS_INTERCEPT', 'true or false', text);
  return 'off';
}

function milliseconds(text: string, wrong: Wrong): number {
  if (/^[1-9][0-9]{0,8}$/.test(text)) return Number(text);
  wrong('GATE_HOLD_TIMEOUT_MS', 'milliseconds from 1 to 999999999', text);
  return 0;
}

function certificates(file: string | null, wrong: Wrong): readonly string[] {
  if (file === null) return [];
  const pem = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const found = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
  if (found === null) wrong('GATE_UPSTREAM_CA', 'a file with PEM certificates', file);
  return found ?? [];
}

/** Settings of the runtime that would make TLS prove nothing, or write its keys down. */
function unsafe(env: Environment): readonly string[] {
  const found = [];
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') found.push('NODE_TLS_REJECT_UNAUTHORIZED=0 turns verification off');
  if (env['SSLKEYLOGFILE']) found.push('SSLKEYLOGFILE has TLS keys written down');
  return found.map((why) => `Cannot start: ${why}; unset it`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.[0-9]{1,3}){3}$/.test(host);
}
