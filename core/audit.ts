// Audit events: what happened, by whom, and the exact bytes that are hashed for one.

import { encodeFields, type Json } from './canonical.ts';
import type { IntentId } from './ids.ts';
import type { Actor } from './intent.ts';

export const eventTypes = [
  'proposed',
  'policy_checked',
  'approved',
  'rejected',
  'revoked',
  'blocked',
  'expired',
  'duplicate_blocked',
  'execution_requested',
  'execution_succeeded',
  'execution_failed',
  'execution_unknown',
  'execution_resolved',
  'read_passed',
  'write_passed',
  'observed',
  'refused',
  'payload_viewed',
  'agent_registered',
  'agent_status_changed',
  'key_issued',
  'key_revoked',
  'signed_in',
  'configuration_loaded',
  'gate_started',
  'gate_stopped',
] as const;

export type EventType = (typeof eventTypes)[number];

/** An event before the log gives it a place. */
export interface EventDraft {
  readonly type: EventType;
  readonly actor: Actor;
  readonly intent: IntentId | null;
  readonly metadata: { readonly [key: string]: Json };
}

/** An event as it stands in the log. `metadata` is the exact JSON text that was hashed. */
export interface LoggedEvent {
  readonly seq: number;
  readonly at: number;
  readonly type: EventType;
  readonly intent: IntentId | null;
  readonly actor: string;
  readonly actorId: string | null;
  readonly metadata: string;
}

/** The leaf's content; its RFC 6962 hash is SHA-256(0x00 ‖ these bytes). */
export function encodeLeaf(event: LoggedEvent): Uint8Array<ArrayBuffer> {
  const { seq, at, type, intent, actor, actorId, metadata } = event;
  return encodeFields('gate-audit-1', [seq, at, type, intent, actor, actorId, metadata]);
}
