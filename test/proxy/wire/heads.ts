// Heads as a well-behaved client sends them, to be spoiled in one place by a test.

import type { Header } from '../../../core/facts.ts';
import { isRefusal } from '../../../core/reasons.ts';
import type { RawHead } from '../../../proxy/wire/head.ts';

type Lines = { readonly [name: string]: string };

export function linesOf(lines: Lines): Header[] {
  return Object.entries(lines);
}

const host: Header = ['Host', 'api.test'];

export function forward(change: Partial<RawHead> = {}, ...lines: readonly Header[]) {
  const via = { door: 'forward' } as const;
  const head = { method: 'POST', version: '1.1', target: 'http://api.test/v1/x?y=1', headers: [host, ...lines] };
  return { ...head, ...change, via };
}

export function tunnelled(change: Partial<RawHead> = {}, ...lines: readonly Header[]) {
  const via = { door: 'tunnel', tunnel: { host: 'api.test', port: 443 }, tls: true } as const;
  const head = { method: 'POST', version: '1.1', target: '/v1/x?y=1', headers: [host, ...lines] };
  return { via, ...head, ...change };
}

export function reverse(change: Partial<RawHead> = {}, ...lines: readonly Header[]) {
  const via = { door: 'reverse' } as const;
  const head = { method: 'POST', version: '1.1', target: '/sfdc/x', headers: [host, ...lines] };
  return { ...head, ...change, via };
}

export function connect(target: string, headers: readonly Header[] = [['Host', target]], version = '1.1') {
  return { method: 'CONNECT', version, target, headers };
}

/** The reason code of a refusal; null where the head was read. */
export function refusedAs(outcome: object | null): string | null {
  return outcome !== null && isRefusal(outcome) ? outcome.refused : null;
}
