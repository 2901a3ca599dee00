// New keys: shown once, stored as a hash.

import { formatId, toHex } from '../core/ids.ts';
import { hashKey } from './directory.ts';
import type { NewKey } from './ports.ts';

export function newApiKey(random: (length: number) => Uint8Array): { readonly key: string; readonly stored: NewKey } {
  const key = `gate_sk_${toHex(random(24))}`;
  return { key, stored: storedKey(key, random) };
}

/** For a key that was chosen elsewhere. */
export function storedKey(key: string, random: (length: number) => Uint8Array): NewKey {
  return { id: formatId('key', random(16)), hash: hashKey(key) };
}

/** The framework of agents that Gate made itself; they do not close the open registration. */
export const madeByGate = 'gate';
