// Host and port, read once into the one spelling that is matched, resolved, dialled and verified.

import { isRefusal, refuse, type Refusal } from '../../core/reasons.ts';
import type { Scheme } from '../../core/sealed.ts';
import { isPunycode } from './punycode.ts';

/** `host` is a lower-case ASCII name, a dotted IPv4 address, or a canonical IPv6 address without brackets. */
export interface Authority {
  readonly host: string;
  readonly port: number;
}

/** An authority as a Host line may have it: without a port it means the scheme's own. */
export interface HostPort {
  readonly host: string;
  readonly port: number | null;
}

export function usualPort(scheme: Scheme): number {
  return scheme === 'https' ? 443 : 80;
}

/** Reads `host`, `host:port` or `[v6]:port`; anything that could be read as another host is a refusal. */
export function readHost(text: string): HostPort | Refusal {
  if (text === '') return refuse('bad_request', 'the host is empty');
  if (text.includes('@')) return refuse('bad_request', 'user information before the host');
  const { name, rest } = split(text);
  const host = name.startsWith('[') ? readIPv6(name) : readName(name.toLowerCase());
  if (typeof host !== 'string') return host;
  if (rest === '') return { host, port: null };
  const port = readPort(rest.slice(1));
  return isRefusal(port) ? port : { host, port: port.number };
}

/** As `readHost`, with the scheme's usual port where none is written. */
export function readAuthority(text: string, scheme: Scheme): Authority | Refusal {
  const read = readHost(text);
  return isRefusal(read) ? read : { host: read.host, port: read.port ?? usualPort(scheme) };
}

/** `rest` is empty or begins with the colon before the port. */
function split(text: string): { readonly name: string; readonly rest: string } {
  const end = text.startsWith('[') ? text.indexOf(']') + 1 : text.indexOf(':');
  return end <= 0 ? { name: text, rest: '' } : { name: text.slice(0, end), rest: text.slice(end) };
}

function readPort(text: string): { readonly number: number } | Refusal {
  const number = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= 65_535) return { number };
  return refuse('bad_request', 'the port must be a number from 1 to 65535 without sign or leading zero');
}

/** The runtime's URL parser knows no zone, no octal and one spelling per address (RFC 5952). */
function readIPv6(bracketed: string): string | Refusal {
  const url = `http://${bracketed}/`;
  if (!/^\[[0-9A-Fa-f:.]+\]$/.test(bracketed) || !URL.canParse(url)) {
    return refuse('bad_request', 'the brackets must hold an IPv6 address without zone');
  }
  return new URL(url).hostname.slice(1, -1);
}

/** Longest name in DNS, and longest label of one (RFC 1035 §2.3.4). */
const maxName = 253;
const maxLabel = 63;

function readName(name: string): string | Refusal {
  if (!/^[a-z0-9._-]+$/.test(name)) {
    return refuse('bad_request', 'the host may hold ASCII letters, digits, "-", "_" and "." alone');
  }
  const labels = name.split('.');
  if (labels.includes('')) return refuse('bad_request', 'the host has an empty label');
  if (name.length > maxName || labels.some((label) => label.length > maxLabel)) {
    return refuse('bad_request', `the host is longer than ${maxName}, or a label longer than ${maxLabel}`);
  }
  if (looksNumeric(labels.at(-1) ?? '')) return isDottedQuad(labels) ? name : refuse('bad_request', numeric);
  if (labels.every(isLabel)) return name;
  return refuse('bad_request', 'a label of the host begins or ends with "-" or "_", or is no valid "xn--" label');
}

const numeric = 'a numeric host must be an IPv4 address of four decimal numbers without leading zeros';

/** Resolvers read `127.1`, `0x7f.1`, `0177.0.0.1` and `2130706433` as addresses; by its last label any of them shows. */
function looksNumeric(label: string): boolean {
  return /^(?:[0-9]+|0x[0-9a-f]*)$/.test(label);
}

function isDottedQuad(labels: readonly string[]): boolean {
  return labels.length === 4 && labels.every((label) => /^(?:0|[1-9][0-9]{0,2})$/.test(label) && Number(label) <= 255);
}

/** Underscores stand in names of buckets and containers, never first or last in the name of a host. */
function isLabel(label: string): boolean {
  if (!/^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?$/.test(label)) return false;
  return !label.startsWith('xn--') || isPunycode(label.slice(4));
}
