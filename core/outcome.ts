// What became of a permit on the wire.

import type { ReasonCode } from './reasons.ts';

/** `nothing`: not one byte was handed to a socket. `unknown`: some were, and no whole answer came. */
export type Outcome =
  | { readonly sent: 'nothing'; readonly reason: ReasonCode; readonly detail: string }
  | { readonly sent: 'answered'; readonly status: number; readonly bytes: number }
  | { readonly sent: 'unknown'; readonly status: number | null; readonly detail: string };
