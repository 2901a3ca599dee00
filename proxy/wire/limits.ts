// The sizes a request head may have: the first of all checks, so that nothing else reads without bound.

import type { Header } from '../../core/facts.ts';
import { refuse, type Refusal } from '../../core/reasons.ts';

/** As many as common servers take in one head; Node hid the ones past a limit of its own before 24.18.1. */
export const maxHeaderLines = 200;
/** Node's own default for a head. */
export const maxHeaderBytes = 16_384;
/** RFC 9112 §3 asks for 8000 octets at least. */
export const maxTargetBytes = 8_192;

/** A line weighs its name and value in latin1 and the four bytes `: ` and CRLF. */
export function checkLimits(target: string, headers: readonly Header[]): Refusal | null {
  if (target.length > maxTargetBytes) {
    return refuse('target_too_long', `found ${target.length} bytes, at most ${maxTargetBytes} are read`);
  }
  if (headers.length > maxHeaderLines) {
    return refuse('headers_too_large', `found ${headers.length} lines, at most ${maxHeaderLines} are read`);
  }
  const bytes = headers.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  if (bytes <= maxHeaderBytes) return null;
  return refuse('headers_too_large', `found ${bytes} bytes, at most ${maxHeaderBytes} are read`);
}
