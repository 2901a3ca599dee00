// What destinations.yaml means: entries by host and path, and the one pure lookup that every door uses.

import { hash } from 'node:crypto';
import { canonicalJson } from '../core/canonical.ts';
import { isRefusal, refuse, type Refusal } from '../core/reasons.ts';
import type { DestinationLines } from '../core/requestFacts.ts';
import type { Endpoint, Scheme } from '../core/sealed.ts';
import { pathReadings } from '../proxy/wire/path.ts';

export type Mode = 'govern' | 'pass' | 'block' | 'observe';
export type Dialect = 'stripe' | 'slack' | 'salesforce' | 'aws' | 'sendgrid' | 'generic';

/** What holds for one host, or for one path below it; see docs/reference/destinations.md for every key. */
export interface Entry {
  /** null only for `__default__`: the name is then made of the host. */
  readonly destination: string | null;
  readonly policy: string | null;
  readonly environment: string | null;
  readonly records: number | null;
  readonly extractRecords: string | null;
  readonly reads: Mode;
  readonly writes: Mode;
  readonly holdSeconds: number;
  readonly holdSdkSeconds: number;
  readonly holdMaxSeconds: number | null;
  readonly pendingStatus: number | 'auto';
  readonly dialect: Dialect;
  readonly upgrade: 'websocket' | null;
  readonly maxBodyBytes: number;
  readonly idempotent: 'trusted' | 'no';
  readonly singleFlight: 'shared' | 'apart';
  readonly volatileHeaders: readonly string[];
  readonly agentCredentials: 'pass' | 'deny';
}

export interface HostEntry extends Entry {
  /** `*.example.com` as `example.com`. */
  readonly host: string;
  readonly match: 'exact' | 'below' | 'any';
  /** null: 80 and 443. */
  readonly port: number | null;
  readonly reverse: string | null;
  readonly scheme: 'as-sent' | 'https';
  readonly dial: { readonly host: string; readonly port: number } | null;
  readonly tunnel: 'opaque' | 'intercepted';
  readonly privateAddresses: 'deny' | 'allow';
  /** By path prefix, the longest first. */
  readonly paths: readonly (readonly [path: string, entry: Entry])[];
}

export interface Destinations {
  /** The most specific first: exact before wildcard, longer before shorter. */
  readonly hosts: readonly HostEntry[];
  readonly fallback: HostEntry | null;
  readonly digest: string;
}

export interface Resolved {
  readonly destination: string;
  readonly entry: Entry;
  readonly host: HostEntry;
  readonly endpoint: Endpoint;
}

export interface Place {
  readonly scheme: Scheme;
  readonly host: string;
  readonly port: number;
  readonly target: string;
}

export function resolve(destinations: Destinations, place: Place): Resolved | Refusal {
  const host = findHost(destinations, place);
  if (host === null) return refuse('destination_unknown', `"${place.host}"`);
  const entry = findPath(host, place.target);
  if ('refused' in entry) return entry;
  const destination = entry.destination ?? `${place.host}.${place.scheme}`;
  return { destination, entry, host, endpoint: endpointOf(host, place) };
}

/** The entry that covers a host, whatever the path; null where none does, `__default__` included. */
export function findHost({ hosts, fallback }: Destinations, place: Omit<Place, 'target'>): HostEntry | null {
  const found = hosts.find((entry) => covers(entry, place));
  // A listed host on a port that its entry does not name is not an unlisted one.
  return found ?? (hosts.some((entry) => isHostOf(entry, place.host)) ? null : fallback);
}

function covers(entry: HostEntry, { host, port }: Omit<Place, 'target'>): boolean {
  const isPort = entry.port === null ? port === 80 || port === 443 : port === entry.port;
  return isPort && isHostOf(entry, host);
}

function isHostOf(entry: HostEntry, host: string): boolean {
  return entry.match === 'exact' ? host === entry.host : host.endsWith(`.${entry.host}`);
}

/** Every way in which the path can be read must lead to the same line; else somebody is being misled. */
function findPath(host: HostEntry, target: string): Entry | Refusal {
  const readings = pathReadings(target);
  if ('refused' in readings) return readings;
  const [first = host, ...others] = readings.flatMap((path) => [longest(host, path), loosely(host, path)]);
  if (others.some((entry) => entry !== first)) return refuse('ambiguous_path');
  return first;
}

function longest(host: HostEntry, path: string): Entry {
  return host.paths.find(([key]) => path === key || path.startsWith(key.endsWith('/') ? key : `${key}/`))?.[1] ?? host;
}

/** Routers that ignore case, a last dot or blank, or an ending such as `.json`, would take the path for that line's. */
function loosely(host: HostEntry, path: string): Entry {
  const folded = path.toLowerCase().replace(/(?:\.[a-z0-9]{1,5}|\.|%20|\s|::\$data)+$/, '');
  const exact = longest(host, path);
  const lines = host.paths.map(([key, entry]) => [key.toLowerCase(), entry] as const);
  const below = (key: string) => folded === key || folded.startsWith(key.endsWith('/') ? key : `${key}/`);
  return exact === host ? (lines.find(([key]) => below(key))?.[1] ?? host) : exact;
}

function endpointOf(entry: HostEntry, { scheme, host, port }: Place): Endpoint {
  const dialled = entry.scheme === 'https' ? 'https' : scheme;
  const isUpgraded = dialled === 'https' && scheme === 'http' && port === 80;
  const { dial, privateAddresses } = entry;
  return { scheme: dialled, host, port: isUpgraded ? 443 : port, dial, privateAddresses };
}

/** Where a path on the proxy port leads, its prefix taken off; null where no entry has the prefix. */
export function reverseOf(destinations: Destinations, target: string): Place | Refusal | null {
  const entry = prefixOf(destinations, target);
  const readings = pathReadings(target);
  if (isRefusal(readings)) return readings;
  if (readings.some((path) => prefixOf(destinations, path) !== entry)) return refuse('ambiguous_path');
  if (entry?.reverse === null || entry?.reverse === undefined) return null;
  const scheme = entry.scheme === 'https' ? 'https' : 'http';
  const rest = target.slice(entry.reverse.length);
  const port = entry.port ?? (scheme === 'https' ? 443 : 80);
  return { scheme, host: entry.host, port, target: rest.startsWith('/') ? rest : `/${rest}` };
}

function prefixOf({ hosts }: Destinations, path: string): HostEntry | null {
  const segment = /^\/[^/?]*/.exec(path)?.[0];
  return hosts.find(({ reverse }) => reverse !== null && reverse === segment) ?? null;
}

/** SHA-256 over what of an entry an approval is for: a change of any of it makes the approval another request's. */
export function bindingDigest({ destination, endpoint, entry }: Resolved): string {
  const { scheme, host, port, privateAddresses } = endpoint;
  const dial = endpoint.dial === null ? null : `${endpoint.dial.host}:${endpoint.dial.port}`;
  const lines = { destination, scheme, host, port, privateAddresses, dial, volatile: [...entry.volatileHeaders] };
  return hash('sha256', canonicalJson(lines), 'hex');
}

/** The lines of an entry that the facts of a request are made of. */
export function linesOf({ destination, entry }: Resolved): DestinationLines {
  const { environment, policy, records, extractRecords, maxBodyBytes } = entry;
  return { destination, environment, policy, records, extractRecords, maxBodyBytes };
}
