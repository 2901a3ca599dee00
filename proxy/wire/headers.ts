// The header section as a whole: grammar, what may stand there once, and what the fields ask for.

import type { Header } from '../../core/facts.ts';
import { isRefusal, refuse, type Refusal } from '../../core/reasons.ts';
import { isKept, isSensitive, isSingleton, methodOverrides } from './fieldNames.ts';
import { isToken, membersOf, valuesOf } from './fields.ts';
import { readGateHeaders, type GateHeaders } from './gateHeaders.ts';
import type { Version } from './requestLine.ts';

export interface Fields {
  readonly gate: GateHeaders;
  /** `continue`: the client may wait for a 100 before it sends a body, should there be one. */
  readonly expectation: 'none' | 'continue';
  /** The protocols asked for, as sent; null also for `h2c` with its settings, which Java offers every time. */
  readonly upgrade: string | null;
  /** The first method-override line's value: a request with one is never a read, whatever its method. */
  readonly methodOverride: string | null;
}

export function readHeaders(version: Version, headers: readonly Header[]): Fields | Refusal {
  const fault =
    checkGrammar(headers) ?? checkSingletons(headers) ?? checkUnderscores(headers) ?? checkConnection(headers);
  if (fault !== null) return fault;
  const expectation = readExpectation(version, headers);
  if (typeof expectation !== 'string') return expectation;
  const gate = readGateHeaders(headers);
  if (isRefusal(gate)) return gate;
  const [methodOverride = null] = methodOverrides.flatMap((name) => valuesOf(headers, name));
  return { gate, expectation, upgrade: readUpgrade(headers), methodOverride };
}

/** Names are tokens; values are latin1 without controls, so that neither can end its line (RFC 9110 §5.5). */
function checkGrammar(headers: readonly Header[]): Refusal | null {
  if (!headers.every(([name]) => isToken(name))) return refuse('bad_request', 'a header name is not a token');
  const fits = headers.every(([, value]) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value));
  return fits ? null : refuse('bad_request', 'a header value holds a control character');
}

function checkSingletons(headers: readonly Header[]): Refusal | null {
  const seen = new Set<string>();
  for (const [name] of headers) {
    const lower = name.toLowerCase();
    if (isSingleton(lower) && seen.has(lower)) return refuse('bad_request', `"${lower}" is there twice, needed once`);
    seen.add(lower);
  }
  return null;
}

/** Backends that turn `-` into `_` (CGI, WSGI) cannot tell `Content_Length` from `Content-Length`. */
function checkUnderscores(headers: readonly Header[]): Refusal | null {
  const twin = headers.find(([name]) => name.includes('_') && isSensitive(name.toLowerCase().replaceAll('_', '-')));
  return twin === undefined ? null : refuse('bad_request', 'a header name with "_" stands for one with "-"');
}

/** What Connection names is dropped on the way; nothing that was judged may vanish so. */
function checkConnection(headers: readonly Header[]): Refusal | null {
  const named = membersOf(headers, 'connection');
  if (!named.every(isToken)) return refuse('bad_request', 'Connection must be a list of tokens');
  const kept = named.find(isKept);
  return kept === undefined ? null : refuse('bad_request', 'Connection names a field that is not of the connection');
}

function readExpectation(version: Version, headers: readonly Header[]): 'none' | 'continue' | Refusal {
  const [expect] = valuesOf(headers, 'expect');
  // RFC 9110 §10.1.1: an expectation in HTTP/1.0 is ignored.
  if (expect === undefined || version === '1.0') return 'none';
  return expect.toLowerCase() === '100-continue' ? 'continue' : refuse('expectation_failed');
}

function readUpgrade(headers: readonly Header[]): string | null {
  const lines = valuesOf(headers, 'upgrade');
  if (lines.length === 0) return null;
  const protocols = lines.join(', ');
  const settled = valuesOf(headers, 'http2-settings').length > 0;
  return protocols.toLowerCase() === 'h2c' && settled ? null : protocols;
}
