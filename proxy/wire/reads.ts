// Whether a request only reads.

import type { Framing } from './framing.ts';

/** What tells a read from a write. */
export interface ReadSigns {
  readonly method: string;
  readonly framing: Framing;
  readonly upgrade: object | string | null;
  readonly methodOverride: object | string | null;
}

/** A method that only reads, with nothing about it that could make it write. */
export function isRead({ method, framing, upgrade, methodOverride }: ReadSigns): boolean {
  const isReading = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
  const isEmpty = framing.kind === 'none' || (framing.kind === 'length' && framing.bytes === 0);
  return isReading && isEmpty && upgrade === null && methodOverride === null;
}
