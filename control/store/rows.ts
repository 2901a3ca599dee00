// Between database rows and the types of the core: the only place that reads or writes a column's text.

import type { Json } from '../../core/canonical.ts';
import type { Header } from '../../core/facts.ts';
import type { AgentId, IntentId, KeyId, PersonId, PrincipalId } from '../../core/ids.ts';
import type { Intent } from '../../core/intent.ts';
import { deadlineOf } from '../../core/lifecycle.ts';
import type { EventType } from '../../core/audit.ts';
import type { PrincipalStatus, RiskTier, Role } from '../../core/facts.ts';
import type { ChainedEvent, IntentAbout, IntentRecord, StoredKey, StoredPrincipal } from '../ports.ts';

export interface IntentRow {
  readonly id: number;
  readonly state_json: string;
  readonly about_json: string;
}

export function readIntent(row: IntentRow): IntentRecord {
  const intent: Intent = JSON.parse(row.state_json);
  const about: IntentAbout = JSON.parse(row.about_json);
  return { intent, about, row: row.id };
}

/** The columns that follow from an intent's state. */
export function stateColumns(intent: Intent, decideBy: number | null) {
  return {
    status: intent.status,
    deadline: deadlineOf(intent),
    found_until: foundUntil(intent, decideBy),
    state_json: JSON.stringify(intent),
  };
}

/** Until when an identical request of the agent finds this intent instead of making a new one. */
function foundUntil(intent: Intent, decideBy: number | null): number | null {
  if (intent.status === 'pending_approval') return intent.decideBy;
  if (intent.status === 'approved') return intent.useBy;
  return intent.status === 'blocked' && intent.reason === 'rejected_by_human' ? decideBy : null;
}

/** Header lines as length-free text: no name or value can hold a line feed. Latin1, so obs-text keeps its bytes. */
export function writeHeaders(headers: readonly Header[]): Buffer {
  return Buffer.from(headers.map(([name, value]) => `${name}\n${value}\n`).join(''), 'latin1');
}

export function readHeaders(bytes: Uint8Array): readonly Header[] {
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  const headers: Header[] = [];
  for (let i = 0; i + 1 < lines.length; i += 2) headers.push([lines[i] ?? '', lines[i + 1] ?? '']);
  return headers;
}

export interface EventRow {
  readonly seq: number;
  readonly at: number;
  readonly type: EventType;
  readonly intent: IntentId | null;
  readonly actor: string;
  readonly actor_id: string | null;
  readonly metadata_json: string;
  readonly leaf: Uint8Array;
  readonly link: Uint8Array;
  readonly mac: Uint8Array;
}

export function readEvent(row: EventRow): ChainedEvent {
  const { seq, at, type, intent, actor } = row;
  const proofs = { leaf: hex(row.leaf), link: hex(row.link), mac: hex(row.mac) };
  return { seq, at, type, intent, actor, actorId: row.actor_id, metadata: row.metadata_json, ...proofs };
}

export interface PrincipalRow {
  readonly public_id: PrincipalId;
  readonly kind: 'agent' | 'person';
  readonly name: string;
  readonly role: Role;
  readonly status: PrincipalStatus;
  readonly created_at: number;
  readonly risk_tier: RiskTier | null;
  readonly owner: string | null;
  readonly person: PersonId | null;
  readonly environment: string | null;
  readonly framework: string | null;
  readonly allowed_policies: string | null;
  readonly allowed_destinations: string | null;
  readonly metadata: string | null;
}

export function readPrincipal(row: PrincipalRow): StoredPrincipal {
  const { kind, name, role, status } = row;
  const agent = row.risk_tier === null ? null : readAgent(row, row.risk_tier);
  return { id: row.public_id, kind, name, role, status, createdAt: row.created_at, agent };
}

function readAgent(row: PrincipalRow, riskTier: RiskTier) {
  const { owner, person, environment, framework } = row;
  const metadata: Json = row.metadata === null ? {} : JSON.parse(row.metadata);
  const lists = {
    allowedPolicies: readList(row.allowed_policies),
    allowedDestinations: readList(row.allowed_destinations),
  };
  return { riskTier, owner, person, environment, framework, metadata, ...lists };
}

export interface KeyRow {
  readonly public_id: KeyId;
  readonly principal: AgentId | PersonId;
  readonly hash: Uint8Array;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
}

export function readKey(row: KeyRow): StoredKey {
  const { public_id: id, principal, created_at: createdAt, expires_at: expiresAt, revoked_at: revokedAt } = row;
  return { id, principal, hash: hex(row.hash), createdAt, expiresAt, revokedAt };
}

function readList(text: string | null): readonly string[] | null {
  return text === null ? null : JSON.parse(text);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function unhex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}
