// A request as a person writes it into a file: HTTP/1.1 text, read by the rules of the proxy itself.

import { Buffer } from 'node:buffer';
import type { Header } from '../core/facts.ts';
import { isRefusal, refuse, type Refusal } from '../core/reasons.ts';
import type { Place } from '../config/destinations.ts';
import { endToEnd } from '../proxy/wire/endToEnd.ts';
import { readHead } from '../proxy/wire/head.ts';
import { isRead } from '../proxy/wire/reads.ts';

export interface WrittenRequest {
  readonly place: Place;
  readonly method: string;
  readonly does: 'read' | 'write';
  readonly headers: readonly Header[];
  readonly bytes: Uint8Array;
}

/**
 * Line ends may be those of any editor. The body goes to the end of the file, or as far as a Content-Length line says;
 * without one a line feed at the end is the editor's.
 */
export function readRequest(file: Uint8Array): WrittenRequest | Refusal {
  const latin1 = Buffer.from(file).toString('latin1');
  const [whole = '', headText = ''] = /^([\s\S]*?)(?:\r?\n\r?\n|$)/.exec(latin1) ?? [];
  const [line = '', ...lines] = headText.split(/\r?\n/);
  const [, method = '', target = '', version = '1.1'] = /^(\S+) +(\S+)(?: +HTTP\/(\d\.\d))?$/.exec(line) ?? [];
  if (target === '')
    return refuse('bad_request', 'the first line must be a method and a URL, such as "POST https://…"');
  const given = lines.map(headerOf);
  if (valueOf(given, 'transfer-encoding') !== null) {
    return refuse('bad_request', 'write the body as it is, without Transfer-Encoding');
  }
  const body = bodyOf(file.subarray(whole.length), valueOf(given, 'content-length'));
  const host = valueOf(given, 'host');
  const url = target.startsWith('/') && host !== null ? `https://${host}${target}` : target;
  const headers: readonly Header[] = [
    ...given.filter(([name]) => !/^(host|content-length)$/i.test(name)),
    ['Host', /^https?:\/\/([^/?#]*)/.exec(url)?.[1] ?? ''],
    ...(body.length === 0 ? [] : [['Content-Length', String(body.length)] as const]),
  ];
  const head = readHead({ method, version, target: url, headers, via: { door: 'forward' } });
  if (isRefusal(head)) return head;
  const { scheme, authority } = head;
  return {
    place: { scheme, ...authority, target: head.target },
    method,
    does: isRead(head) ? 'read' : 'write',
    headers: endToEnd(headers),
    bytes: body,
  };
}

function headerOf(line: string): Header {
  const colon = line.indexOf(':');
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function valueOf(headers: readonly Header[], wanted: string): string | null {
  return headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? null;
}

function bodyOf(rest: Uint8Array, declared: string | null): Uint8Array {
  if (declared !== null) return rest.subarray(0, Number(declared));
  const last = rest.length - 1;
  if (rest[last] !== 0x0a) return rest;
  return rest.subarray(0, rest[last - 1] === 0x0d ? last - 1 : last);
}
