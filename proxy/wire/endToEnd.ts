// Which header lines travel on, to the upstream and back, and which of them tell one request from another.

import type { Header } from '../../core/facts.ts';
import { isForwardingField, isGateField, isHopByHop } from './fieldNames.ts';
import { membersOf } from './fields.ts';

/** What may reach the upstream, in order and to the byte. Host and framing are missing: the dialler writes its own. */
export function endToEnd(headers: readonly Header[]): Header[] {
  const named = new Set(membersOf(headers, 'connection'));
  return headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return (
      !named.has(lower) && !isHopByHop(lower) && !isGateField(lower) && !isForwardingField(lower) && !own.has(lower)
    );
  });
}

const own = new Set(['host', 'content-length', 'expect']);

/** What of an upstream's answer may reach the client, in order and to the byte. */
export function answerHeaders(headers: readonly Header[]): Header[] {
  const named = new Set(membersOf(headers, 'connection'));
  return headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return !named.has(lower) && !isHopByHop(lower) && !isGateField(lower);
  });
}

/**
 * Fields that differ between two sendings of one request, and so do not make it another one.
 * In lower case; `*` at the end stands for any continuation.
 */
export const volatileHeaders: readonly string[] = [
  'user-agent',
  'date',
  'accept-encoding',
  'x-request-id',
  'traceparent',
  'tracestate',
  'baggage',
  'b3',
  'x-b3-*',
  'sentry-trace',
  'x-datadog-*',
  'x-amzn-trace-id',
  'x-cloud-trace-context',
  'x-stainless-*',
  'x-stripe-client-telemetry',
  'amz-sdk-*',
];

/** `extra` are an entry's `volatile_headers`, of the same form; a bare `*` covers nothing. */
export function isVolatile(name: string, extra: readonly string[]): boolean {
  const lower = name.toLowerCase();
  return [...volatileHeaders, ...extra].some((entry) => covers(entry.toLowerCase(), lower));
}

function covers(entry: string, name: string): boolean {
  if (!entry.endsWith('*')) return entry === name;
  return entry.length > 1 && name.startsWith(entry.slice(0, -1));
}
