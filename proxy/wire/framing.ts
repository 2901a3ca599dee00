// How the body is delimited: one plain Content-Length or exactly `chunked`, never both and never a guess.

import type { Header } from '../../core/facts.ts';
import { refuse, type Refusal } from '../../core/reasons.ts';
import { isToken, valuesOf } from './fields.ts';
import type { Version } from './requestLine.ts';

export type Framing =
  { readonly kind: 'none' } | { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' };

export function readFraming(version: Version, headers: readonly Header[]): Framing | Refusal {
  const lengths = valuesOf(headers, 'content-length');
  const codings = valuesOf(headers, 'transfer-encoding');
  const [length] = lengths;
  const [coding] = codings;
  if (length !== undefined && coding !== undefined) {
    return refuse('bad_request', 'found Content-Length and Transfer-Encoding, at most one of them is needed');
  }
  if (lengths.length > 1 || codings.length > 1) {
    return refuse('bad_request', 'Content-Length or Transfer-Encoding is there twice');
  }
  if (length !== undefined) return readLength(length);
  if (coding !== undefined) return readCoding(version, coding);
  return { kind: 'none' };
}

/** Whether a body may follow; a chunked one may still turn out empty. */
export function carriesBody(framing: Framing): boolean {
  switch (framing.kind) {
    case 'none':
      return false;
    case 'length':
      return framing.bytes > 0;
    case 'chunked':
      return true;
  }
}

function readLength(text: string): Framing | Refusal {
  const bytes = Number(text);
  if (/^(?:0|[1-9][0-9]{0,15})$/.test(text) && Number.isSafeInteger(bytes)) return { kind: 'length', bytes };
  return refuse('bad_request', 'Content-Length must be a plain decimal number');
}

function readCoding(version: Version, text: string): Framing | Refusal {
  if (version === '1.0') return refuse('bad_request', 'HTTP/1.0 has no Transfer-Encoding');
  const codings = text.toLowerCase().split(/[ \t]*,[ \t]*/);
  const before = codings.slice(0, -1);
  if (codings.at(-1) !== 'chunked' || !before.every(isToken) || before.includes('chunked')) {
    return refuse('bad_request', 'Transfer-Encoding must be exactly "chunked"');
  }
  if (before.length === 0) return { kind: 'chunked' };
  // Well-formed and in order, only not known here: RFC 9112 §6.1 asks for 501.
  return refuse('not_implemented', 'a transfer coding besides "chunked"');
}
