// The reverse doors: a path prefix on the proxy port stands for a host, and the rest is the same request as any other.

import { reverseOf, type Destinations } from '../config/destinations.ts';
import type { Header } from '../core/facts.ts';
import { isApiKey } from '../core/ids.ts';
import { isRefusal, refuse, type Refusal } from '../core/reasons.ts';
import { proxyKey } from './credential.ts';
import { valuesOf } from './wire/fields.ts';
import type { Head, ReverseHead } from './wire/head.ts';

/** Gives a reverse request the authority and scheme that its prefix stands for, and takes the prefix off. */
export function addressReverse(head: ReverseHead, destinations: Destinations): Head | Refusal {
  const found = reverseOf(destinations, head.target);
  if (found === null) {
    const hasPrefixes = destinations.hosts.some(({ reverse }) => reverse !== null);
    return hasPrefixes ? refuse('destination_unknown', 'no reverse prefix of this path') : notProxied();
  }
  if (isRefusal(found)) return found;
  const { calledAs: _, ...rest } = head;
  const { host, port, scheme, target } = found;
  const headers = withoutGateKey(head.headers);
  return { ...rest, scheme, authority: { host, port }, target, door: 'forward', headers };
}

function notProxied(): Refusal {
  return refuse('bad_request', 'found a path, a whole URL is needed: this is a proxy');
}

/** The agent's key: X-Gate-Key, or where the API's own key would stand, or as a proxy's client gives it. */
export function reverseKey(headers: readonly Header[]): string | null {
  const own = valuesOf(headers, 'x-gate-key')[0];
  return own ?? keyInPlace(valuesOf(headers, 'authorization')[0]) ?? proxyKey(headers);
}

/** A key of Gate's in Authorization, as Bearer or as the user name of Basic; any other credential is the API's. */
function keyInPlace(authorization: string | undefined): string | null {
  const [, scheme = '', token = ''] = /^([A-Za-z]+) +([\x21-\x7e]+)$/.exec(authorization ?? '') ?? [];
  if (scheme.toLowerCase() === 'bearer') return isApiKey(token) ? token : null;
  if (scheme.toLowerCase() !== 'basic') return null;
  const [user = ''] = Buffer.from(token, 'base64').toString('latin1').split(':', 1);
  return isApiKey(user) ? user : null;
}

function withoutGateKey(headers: readonly Header[]): readonly Header[] {
  return headers.filter(([name, value]) => name.toLowerCase() !== 'authorization' || keyInPlace(value) === null);
}
