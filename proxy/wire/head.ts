// A request's head, read whole or refused: limits, request line, headers, framing, authority, in this order.

import type { Header } from '../../core/facts.ts';
import { isRefusal, refuse, type Refusal } from '../../core/reasons.ts';
import type { Scheme } from '../../core/sealed.ts';
import { readAuthority, readHost, usualPort, type Authority, type HostPort } from './authority.ts';
import { valuesOf } from './fields.ts';
import { carriesBody, readFraming, type Framing } from './framing.ts';
import { readHeaders, type Fields } from './headers.ts';
import { checkLimits } from './limits.ts';
import { readRequestLine, type AddressedTarget, type Version } from './requestLine.ts';

/** By which door the head came, and what that door already knows of its authority. */
export type AddressedVia =
  { readonly door: 'forward' } | { readonly door: 'tunnel'; readonly tunnel: Authority; readonly tls: boolean };
export type ReverseVia = { readonly door: 'reverse' };

export interface RawHead {
  readonly method: string;
  /** As the parser gave it, e.g. `1.1`. */
  readonly version: string;
  /** As sent, latin1. */
  readonly target: string;
  readonly headers: readonly Header[];
  readonly via: AddressedVia | ReverseVia;
}

interface HeadFields extends Fields {
  readonly method: string;
  readonly version: Version;
  /** Path and query exactly as sent, `/` where the URL has none. */
  readonly target: string;
  /** Every line, untouched. */
  readonly headers: readonly Header[];
  readonly framing: Framing;
}

export interface Head extends HeadFields {
  readonly door: 'forward' | 'tunnel';
  readonly scheme: Scheme;
  readonly authority: Authority;
}

/** The path says where it goes, so scheme and authority are still missing: the door gives them. */
export interface ReverseHead extends HeadFields {
  readonly door: 'reverse';
  /** By which name the client called Gate; null where HTTP/1.0 named none. */
  readonly calledAs: HostPort | null;
}

/** With several faults the first in the order above is the one refused. */
export function readHead(raw: RawHead & { readonly via: AddressedVia }): Head | Refusal;
export function readHead(raw: RawHead & { readonly via: ReverseVia }): ReverseHead | Refusal;
export function readHead(raw: RawHead): Head | ReverseHead | Refusal;
export function readHead(raw: RawHead): Head | ReverseHead | Refusal {
  const { headers, via } = raw;
  const tooLarge = checkLimits(raw.target, headers);
  if (tooLarge !== null) return tooLarge;
  const line = readRequestLine(raw, via.door);
  if (isRefusal(line)) return line;
  const { method, version } = line;
  const fields = readHeaders(version, headers);
  if (isRefusal(fields)) return fields;
  const framing = readFraming(version, headers);
  if (isRefusal(framing)) return framing;
  const body = carriesBody(framing);
  if (body && fields.upgrade !== null) return refuse('bad_request', 'an upgrade with a body');
  // Without a body there is nothing to wait for, and no 100 is owed (RFC 9110 §10.1.1).
  const expectation = body ? fields.expectation : 'none';
  const head = { ...fields, expectation, method, version, target: line.target.target, headers, framing };
  if (via.door === 'reverse') {
    const calledAs = readCalledAs(version, headers);
    return calledAs !== null && isRefusal(calledAs) ? calledAs : { ...head, door: 'reverse', calledAs };
  }
  const address = readAddress(line.target, via);
  if (isRefusal(address)) return address;
  const disagreement = checkHost(address, version, headers);
  return disagreement ?? { ...head, door: via.door, ...address };
}

interface Address {
  readonly scheme: Scheme;
  readonly authority: Authority;
}

function readAddress(target: AddressedTarget, via: AddressedVia): Address | Refusal {
  const url = target.form === 'absolute' ? readUrl(target.scheme, target.authority) : null;
  if (url !== null && isRefusal(url)) return url;
  if (via.door === 'forward') return url ?? refuse('bad_request', 'found a path, needed an absolute URL');
  const tunnel: Address = { scheme: via.tls ? 'https' : 'http', authority: via.tunnel };
  if (url === null || (url.scheme === tunnel.scheme && same(url.authority, tunnel.authority))) return tunnel;
  return refuse('authority_mismatch', 'the URL is not of the host, port and scheme of the tunnel');
}

function readUrl(scheme: Scheme, text: string): Address | Refusal {
  const authority = readAuthority(text, scheme);
  return isRefusal(authority) ? authority : { scheme, authority };
}

function checkHost({ scheme, authority }: Address, version: Version, headers: readonly Header[]): Refusal | null {
  const [line] = valuesOf(headers, 'host');
  if (line === undefined) return version === '1.0' ? null : refuse('authority_mismatch', 'there is no Host line');
  const host = readHost(line);
  if (isRefusal(host)) return host;
  if (same({ host: host.host, port: host.port ?? usualPort(scheme) }, authority)) return null;
  return refuse('authority_mismatch', 'the Host line must name the host and port that the request goes to');
}

function readCalledAs(version: Version, headers: readonly Header[]): HostPort | null | Refusal {
  const [line] = valuesOf(headers, 'host');
  if (line !== undefined) return readHost(line);
  return version === '1.0' ? null : refuse('bad_request', 'there is no Host line');
}

function same(one: Authority, other: Authority): boolean {
  return one.host === other.host && one.port === other.port;
}
