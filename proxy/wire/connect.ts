// A CONNECT request: the host and port that its tunnel is for, and nothing besides.

import { isRefusal, refuse, type Refusal } from '../../core/reasons.ts';
import { readHost, type Authority } from './authority.ts';
import { valuesOf } from './fields.ts';
import { readFraming } from './framing.ts';
import type { RawHead } from './head.ts';
import { readHeaders } from './headers.ts';
import { checkLimits } from './limits.ts';
import { readVersion, type Version } from './requestLine.ts';

/** Reads it in the order of every head; an explicit port is needed (RFC 9110 §9.3.6), a body is refused. */
export function readConnect(raw: Omit<RawHead, 'via'>): Authority | Refusal {
  const { headers } = raw;
  const tooLarge = checkLimits(raw.target, headers);
  if (tooLarge !== null) return tooLarge;
  const version = readVersion(raw.version);
  if (typeof version !== 'string') return version;
  if (raw.method !== 'CONNECT') return refuse('method_not_allowed');
  const fields = readHeaders(version, headers);
  if (isRefusal(fields)) return fields;
  const framing = readFraming(version, headers);
  if (isRefusal(framing)) return framing;
  if (framing.kind !== 'none') return refuse('bad_request', 'CONNECT has no body and no framing');
  const target = readHost(raw.target);
  if (isRefusal(target)) return target;
  const { host, port } = target;
  if (port === null) return refuse('bad_request', 'CONNECT needs a host and a port');
  return checkHost({ host, port }, version, valuesOf(headers, 'host')[0]) ?? { host, port };
}

/** A Host without port agrees with any, since many clients leave it out here; only the target is dialled. */
function checkHost(target: Authority, version: Version, line: string | undefined): Refusal | null {
  if (line === undefined) return version === '1.0' ? null : refuse('authority_mismatch', 'there is no Host line');
  const host = readHost(line);
  if (isRefusal(host)) return host;
  if (host.host === target.host && (host.port ?? target.port) === target.port) return null;
  return refuse('authority_mismatch', 'the Host line must name the host and port of the tunnel');
}
