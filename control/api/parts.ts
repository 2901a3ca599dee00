// What the API is made of.

import type { Directory } from '../directory.ts';
import type { Changes } from '../changes.ts';
import type { Clock, Holds, Store } from '../ports.ts';

export interface Readiness {
  readonly name: string;
  readonly isFine: boolean;
  readonly detail: string;
}

export interface ApiParts {
  readonly store: Store;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly changes: Changes;
  readonly holds: Pick<Holds, 'list'>;
  readonly random: (length: number) => Uint8Array;
  readonly registration: 'first' | 'open' | 'admin';
  /** Each part that must be well for Gate to be ready. */
  readonly readiness: () => Promise<readonly Readiness[]>;
  /** The certificate that clients of intercepted tunnels trust. */
  readonly caPem: string;
  /** Redeems a sign-in link's token, once: true when it was good. */
  readonly redeemLink: (token: string) => boolean;
}
