// The form of destinations.yaml, and how its lines become entries.

import { type Destinations, type Entry, type HostEntry } from './destinations.ts';
import {
  checked,
  described,
  entries,
  integer,
  list,
  object,
  oneOf,
  text,
  truth,
  either,
  type TypeOf,
} from './shape.ts';
import { pathFault } from '../control/policy/schema.ts';
import { readYaml, type Loaded, type Source } from './yaml.ts';
import { isScalar } from 'yaml';

const mode = oneOf(['govern', 'pass', 'block', 'observe']);
const mebibyte = 1024 * 1024;
const seconds = integer({ min: 0, max: 86_400, unit: 'seconds' });
const statuses = integer({ min: 200, max: 599, unit: 'an HTTP status' });
const auto = oneOf(['auto']);

/** Keys of an entry that a path below it may set anew. */
const perPath = {
  destination: described(
    'The name that policies, credentials and the log know it by.',
    text('a name such as "stripe.refund"', /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,254}$/),
  ),
  policy: described('The policy that judges writes.', text('the name of a policy', /^[a-z0-9][a-z0-9._-]{0,62}$/)),
  environment: described(
    'The environment of this destination, for policies that tell them apart.',
    text('a name of letters, digits, ".", "_", "-"', /^[A-Za-z0-9._-]{1,64}$/),
  ),
  records: described('How many records one request is about.', integer({ min: 0 })),
  extract_records: described(
    'Where in the body the records are counted.',
    checked(text('a path such as "items"'), pathFault),
  ),
  reads: described('What becomes of reads. Default: pass.', mode),
  writes: described('What becomes of writes. Default: govern.', mode),
  hold: described('Seconds a pending request waits for a person before it is answered. Default: 0.', seconds),
  hold_sdk: described('The same for a known SDK. Default: as hold.', seconds),
  hold_max: described('Most seconds that a client may ask to be held.', seconds),
  pending_status: described(
    'Status of a pending answer. Default: auto, 202 and for a known SDK 409.',
    either(auto, (node) => isScalar(node) && node.value === 'auto', statuses),
  ),
  dialect: described(
    "The API whose SDKs Gate's own answers are shaped for. Default: generic.",
    oneOf(['stripe', 'slack', 'salesforce', 'aws', 'sendgrid', 'generic']),
  ),
  upgrade: described('The protocol upgrade that is allowed. Default: none.', oneOf(['websocket'])),
  max_body: described('Most bytes of a body. Default: 10 MiB.', integer({ min: 1, max: 32 * mebibyte, unit: 'bytes' })),
  idempotent: described(
    'Whether the API itself drops a second request under one Idempotency-Key. Default: false.',
    truth(),
  ),
  single_flight: described('Whether an identical request finds the one that waits. Default: true.', truth()),
  volatile_headers: described(
    'Header names that do not make it another request.',
    list(text('a header name', /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/)),
  ),
  agent_credentials: described(
    'deny refuses writes that bring a credential of their own. Default: pass.',
    oneOf(['pass', 'deny']),
  ),
};

const perHost = {
  ...perPath,
  reverse: described(
    'A path prefix under which this host is reached on the proxy port.',
    text('a path segment such as "/stripe"', /^\/[a-z0-9][a-z0-9-]{0,62}$/),
  ),
  scheme: described(
    'https: dialled over TLS whatever the agent speaks. Default: as-sent.',
    oneOf(['as-sent', 'https']),
  ),
  dial: described(
    'host:port to connect to instead of resolving the host.',
    text('host:port', /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[1-9][0-9]{0,4}$/),
  ),
  tunnel: described('true: CONNECT is passed on unseen. Default: false.', truth()),
  allow_private: described('Whether the host may lead to an inner address. Default: false.', truth()),
  paths: described(
    'Entries for paths below the host; the longest that matches counts.',
    entries(object(perPath), /^\/[\x21-\x7e]*$/, 'a path that begins with "/"'),
  ),
};

const hostKey =
  /^(__default__|(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?|\[[0-9a-f:]+\](:[1-9][0-9]{0,4})?)$/;
const hostWanted = 'a lower-case host such as "api.example.com", "*.example.com" or "192.0.2.1:8443"';

export const destinationsShape = entries(object(perHost), hostKey, hostWanted);

type HostLines = TypeOf<ReturnType<typeof object<typeof perHost>>>;
type PathLines = TypeOf<ReturnType<typeof object<typeof perPath>>>;

export function readDestinations(source: Source, digest: string): Loaded<Destinations> {
  const loaded = readYaml(source, destinationsShape);
  if ('faults' in loaded) return loaded;
  const faults = [...faultsOf(loaded.value)].map((fault) => `Cannot load ${source.what}: ${fault} (${source.file})`);
  if (faults.length > 0) return { faults };
  const all = [...loaded.value].map(([key, lines]) => hostEntry(key, lines));
  const hosts = all.filter(({ match }) => match !== 'any').toSorted(moreSpecific);
  return { value: { hosts, fallback: all.find(({ match }) => match === 'any') ?? null, digest } };
}

function* faultsOf(hosts: ReadonlyMap<string, HostLines>): Generator<string> {
  const prefixes = new Map<string, string>();
  for (const [key, { reverse, destination, reads, policy, tunnel }] of hosts) {
    if (reverse !== undefined && /^\*\.|^__default__$/.test(key)) {
      yield `"${key}.reverse" must not be given for more than one host, found "${reverse}"`;
    }
    const other = reverse === undefined ? undefined : prefixes.get(reverse);
    if (other !== undefined) yield `"${key}.reverse" must be unique, found "${reverse}" of "${other}" too`;
    if (reverse !== undefined) prefixes.set(reverse, key);
    if (key === '__default__') {
      if (policy === undefined && reads === undefined) yield `"__default__" must have "policy" or "reads"`;
      if (destination !== undefined) yield `"__default__.destination" must not be given: it is made of the host`;
      if (tunnel === true) yield `"__default__.tunnel" must not be true: name the hosts`;
    } else if (destination === undefined) {
      yield `"${key}.destination" must be a name such as "stripe.refund", found nothing`;
    }
  }
}

function hostEntry(key: string, lines: HostLines): HostEntry {
  const isDefault = key === '__default__';
  const [, wildcard, host = '', port] = /^(\*\.)?(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(key) ?? [];
  const entry = entryOf(lines, { ...defaults, writes: isDefault && lines.policy === undefined ? 'block' : 'govern' });
  const paths = [...(lines.paths ?? [])].map(([path, below]) => [path, entryOf(below, entry)] as const);
  return {
    ...entry,
    host: host.replace(/^\[|\]$/g, ''),
    match: isDefault ? 'any' : wildcard === undefined ? 'exact' : 'below',
    port: port === undefined ? null : Number(port),
    reverse: lines.reverse ?? null,
    scheme: lines.scheme ?? 'as-sent',
    dial: lines.dial === undefined ? null : dialOf(lines.dial),
    tunnel: lines.tunnel === true ? 'opaque' : 'intercepted',
    privateAddresses: lines.allow_private === true ? 'allow' : 'deny',
    paths: paths.toSorted(([a], [b]) => b.length - a.length),
  };
}

const defaults: Entry = {
  destination: null,
  policy: null,
  environment: null,
  records: null,
  extractRecords: null,
  reads: 'pass',
  writes: 'govern',
  holdSeconds: 0,
  holdSdkSeconds: 0,
  holdMaxSeconds: null,
  pendingStatus: 'auto',
  dialect: 'generic',
  upgrade: null,
  maxBodyBytes: 10 * mebibyte,
  idempotent: 'no',
  singleFlight: 'shared',
  volatileHeaders: [],
  agentCredentials: 'pass',
};

/** What a line does not say, the entry above says. */
function entryOf(lines: PathLines, above: Entry): Entry {
  const hold = lines.hold ?? above.holdSeconds;
  return {
    destination: lines.destination ?? above.destination,
    policy: lines.policy ?? above.policy,
    environment: lines.environment ?? above.environment,
    ...recordsOf(lines, above),
    reads: lines.reads ?? above.reads,
    writes: lines.writes ?? above.writes,
    holdSeconds: hold,
    holdSdkSeconds: lines.hold_sdk ?? lines.hold ?? above.holdSdkSeconds,
    holdMaxSeconds: lines.hold_max ?? above.holdMaxSeconds,
    pendingStatus: lines.pending_status ?? above.pendingStatus,
    dialect: lines.dialect ?? above.dialect,
    upgrade: lines.upgrade ?? above.upgrade,
    maxBodyBytes: lines.max_body ?? above.maxBodyBytes,
    idempotent: lines.idempotent === undefined ? above.idempotent : lines.idempotent ? 'trusted' : 'no',
    singleFlight: lines.single_flight === undefined ? above.singleFlight : lines.single_flight ? 'shared' : 'apart',
    volatileHeaders: lines.volatile_headers?.map((name) => name.toLowerCase()) ?? above.volatileHeaders,
    agentCredentials: lines.agent_credentials ?? above.agentCredentials,
  };
}

/** A path that counts in one way drops the other way of the entry above. */
function recordsOf(lines: PathLines, above: Entry): Pick<Entry, 'records' | 'extractRecords'> {
  if (lines.extract_records !== undefined) return { records: null, extractRecords: lines.extract_records };
  if (lines.records !== undefined) return { records: lines.records, extractRecords: null };
  return { records: above.records, extractRecords: above.extractRecords };
}

function dialOf(dial: string): { readonly host: string; readonly port: number } {
  const at = dial.lastIndexOf(':');
  return { host: dial.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(dial.slice(at + 1)) };
}

const ranks = { exact: 0, below: 1, any: 2 } as const;

function moreSpecific(a: HostEntry, b: HostEntry): number {
  return ranks[a.match] - ranks[b.match] || b.host.length - a.host.length || (a.port === null ? 1 : -1);
}
