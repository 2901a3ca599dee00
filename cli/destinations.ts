// `destinations`: which entry covers a URL, a new entry for a host, and entries for what was refused so far.

import { existsSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readDestinations } from '../config/destinationsFile.ts';
import { destinationsName, loadDestinations, loadPolicies, shown } from '../config/files.ts';
import { packageDir } from '../config/load.ts';
import { keyOf, whereabouts } from '../control/policy/explain.ts';
import { databaseFile, openReader } from '../control/store/open.ts';
import { queries } from '../control/store/queries.ts';
import { isRefusal } from '../core/reasons.ts';
import { urlOf } from '../core/sealed.ts';
import { pathReadings } from '../proxy/wire/path.ts';
import { configured, fail } from './configured.ts';
import { readRequest } from './requestFile.ts';
import { suggestions, type RefusedHost } from './suggest.ts';
import { printable, table } from './terminal.ts';

export interface DestinationOptions {
  readonly configDir?: string;
  readonly policyDir?: string;
  readonly dataDir?: string;
  readonly destination?: string;
  readonly policy?: string;
}

/** Exit status 1 where no entry covers the URL, 2 where it is none. */
export function explainDestination(method: string, url: string, options: DestinationOptions): void {
  const request = readRequest(Buffer.from(`${method} ${url} HTTP/1.1\r\n\r\n`, 'latin1'));
  if (isRefusal(request)) return fail([`Cannot read the URL: ${request.message}`]);
  const config = configured({ configDir: options.configDir });
  if (config === null) return;
  const destinations = loadDestinations(config.configDir.path);
  if ('faults' in destinations) return fail(destinations.faults);
  const where = whereabouts(destinations.value, request.place, request.does);
  const readings = pathReadings(request.place.target);
  const read = isRefusal(readings) ? [] : readings.map((path) => ['read as', printable(path)]);
  if (isRefusal(where)) {
    process.stdout.write(table([['refused', `${where.refused}: ${printable(where.message)}`], ...read]));
    process.exitCode = 1;
    return;
  }
  const { destination, entry, endpoint } = where.resolved;
  const dialled = endpoint.dial === null ? endpoint.host : `${endpoint.dial.host}:${endpoint.dial.port}`;
  process.stdout.write(
    table([
      ['destination', printable(destination)],
      ['entry', `${where.key}${where.path === null ? '' : ` ${where.path}`}`],
      ['policy', entry.policy ?? 'none'],
      ['environment', entry.environment ?? 'none'],
      ['records', entry.extractRecords ?? (entry.records === null ? 'nobody knows' : String(entry.records))],
      [`mode (${request.does})`, where.mode],
      ['sent to', printable(urlOf({ endpoint, target: request.place.target }))],
      ['dialled', `${dialled}${endpoint.privateAddresses === 'allow' ? ', inner addresses allowed' : ''}`],
      ...read,
    ]),
  );
}

/** Appends an entry to the user's own file, whose comments and order stay as they are. */
export function addDestination(host: string, options: DestinationOptions): void {
  const config = configured({ configDir: options.configDir, policyDir: options.policyDir });
  if (config === null) return;
  const { configDir, policyDir } = config;
  const file = join(configDir.path, destinationsName);
  if (configDir.origin === 'shipped' || isShipped(configDir.path)) {
    throw new Error(
      `Cannot add "${host}": ${shown(file)} comes with Gate; run zehrava-gate init, or name a directory with --config-dir`,
    );
  }
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const listed = readDestinations({ what: destinationsName, file: shown(file), text: before || '{}' }, '');
  if ('faults' in listed) return fail(listed.faults);
  if (listed.value.hosts.some((entry) => keyOf(entry) === host)) {
    return fail([`Cannot add "${host}": it must not be listed yet, found it (${shown(file)})`]);
  }
  const destination = options.destination ?? nameOf(host);
  const text = `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${entryText(host, destination, options.policy)}`;
  const loaded = readDestinations({ what: destinationsName, file: shown(file), text }, '');
  if ('faults' in loaded) return fail(loaded.faults);
  const aside = `${file}.new`;
  writeFileSync(aside, text, { mode: existsSync(file) ? statSync(file).mode & 0o777 : 0o644 });
  renameSync(aside, existsSync(file) ? realpathSync(file) : file);
  process.stdout.write(`Added ${host} as ${destination} to ${shown(file)}; a running Gate takes it up by itself\n`);
  for (const line of missing(destination, options.policy, policyDir.path)) process.stdout.write(`${line}\n`);
}

/** Prints YAML for every host that was refused because nothing covers it. */
export function suggestDestinations(options: DestinationOptions): void {
  const config = configured({ dataDir: options.dataDir, configDir: options.configDir });
  if (config === null) return;
  const destinations = loadDestinations(config.configDir.path);
  if ('faults' in destinations) return fail(destinations.faults);
  process.stdout.write(suggestions(refused(databaseFile(config.dataDir)), destinations.value));
}

const pageSize = 1_000;

function* refused(file: string): Generator<RefusedHost> {
  if (!existsSync(file)) throw new Error(`Cannot suggest: there is no log at ${shown(file)}; name it with --data-dir`);
  const db = openReader(file);
  try {
    const log = queries(db);
    for (let after = 0; ;) {
      const page = log.events({ intent: null, after, type: 'refused', limit: pageSize });
      for (const { actor, metadata } of page) {
        const about: Record<string, unknown> = JSON.parse(metadata);
        const { reason_code: code, host, method, count } = about;
        if (code !== 'destination_unknown' || typeof host !== 'string') continue;
        yield { host, agent: actor, method: String(method), times: typeof count === 'number' ? count : 1 };
      }
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.seq;
    }
  } finally {
    db.close();
  }
}

function isShipped(dir: string): boolean {
  return existsSync(dir) && realpathSync(dir) === realpathSync(join(packageDir, 'config'));
}

function entryText(host: string, destination: string, policy: string | undefined): string {
  const key = /^[*[]/.test(host) ? JSON.stringify(host) : host;
  const judged =
    policy === undefined
      ? '  # policy: NAME              # until one is named here, writes are blocked\n'
      : `  policy: ${policy}\n`;
  return `
${key}:
  destination: ${destination}  # the name that policies and the log know it by
${judged}  # records: 1                # one request is one action: needed for auto_approve_under
  scheme: https              # dialled over TLS, whatever the agent speaks
`;
}

/** `api.example.com` as `example.write`. */
function nameOf(host: string): string {
  const labels = host.replace(/^\*\.|:\d+$/g, '').split('.');
  return `${(labels.length > 1 ? labels.at(-2) : labels[0]) ?? host}.write`;
}

/** What else has to be written before a write to it can pass. */
function missing(destination: string, policy: string | undefined, dir: string): readonly string[] {
  const policies = loadPolicies(dir);
  if (policy === undefined || 'faults' in policies) return [];
  const found = policies.value.get(policy);
  if (found === undefined)
    return [`There is no policy "${policy}" in ${shown(dir)} yet: until then writes are blocked`];
  if (found.destinations === null || found.destinations.includes(destination)) return [];
  return [`Policy "${policy}" does not list "${destination}" yet: add it under "destinations" in its file`];
}
