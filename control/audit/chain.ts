// The chain: a leaf hash per event, a link over everything before it, and a keyed proof of the link. Pure.

import { createHmac, hash, type KeyObject } from 'node:crypto';
import { encodeLeaf, type LoggedEvent } from '../../core/audit.ts';
import { encodeFields } from '../../core/canonical.ts';

export interface Links {
  readonly leaf: Buffer;
  readonly link: Buffer;
}

/** The link that the first event follows; every log has its own, so one log cannot stand in for another. */
export function genesis(logId: string): Buffer {
  return hash('sha256', encodeFields('gate-audit-genesis-1', [logId]), 'buffer');
}

/** RFC 6962 §2.1: a leaf's hash is SHA-256(0x00 ‖ leaf); 0x02 keeps links apart from leaves and tree nodes. */
export function linkEvent(event: LoggedEvent, previous: Uint8Array): Links {
  const leaf = hash('sha256', Buffer.concat([leafPrefix, encodeLeaf(event)]), 'buffer');
  return { leaf, link: hash('sha256', Buffer.concat([linkPrefix, previous, leaf]), 'buffer') };
}

/** HMAC-SHA256 of a link: who lacks the key cannot write an event, or the history before it, anew. */
export function proveLink(link: Uint8Array, key: KeyObject): Buffer {
  return createHmac('sha256', key).update(link).digest();
}

const leafPrefix = Buffer.of(0);
const linkPrefix = Buffer.of(2);
