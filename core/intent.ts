// One write of an agent, from proposal to outcome: a union by status, so an impossible state cannot be written.

import type { AgentId, ExecutionId, IntentId, PersonId, PrincipalId } from './ids.ts';
import type { ReasonCode } from './reasons.ts';

export interface Actor {
  /** Display name, as the audit shows it. */
  readonly name: string;
  /** The principal; null for Gate itself. */
  readonly id: PrincipalId | null;
}

export const system: Actor = { name: 'system', id: null };
export const worker: Actor = { name: 'worker', id: null };

/** A person who decides; an agent is not one, and no value of this type can be made from an agent's key. */
export interface Reviewer {
  readonly id: PersonId;
  readonly name: string;
}

export interface IntentCore {
  readonly id: IntentId;
  readonly agent: AgentId;
  readonly agentName: string;
  /** The person the agent acted for when it proposed. */
  readonly person: PersonId | null;
  readonly selfApproval: 'deny' | 'allow';
  /** SHA-256 over the canonical request, hexadecimal; the digest a reviewer sees. */
  readonly fingerprint: string;
  /** Digest of the destination entry and credential binding that the request was sealed with. */
  readonly bindingDigest: string;
  readonly createdAt: number;
  /** Milliseconds an approval is good for. */
  readonly useWithinMs: number;
  readonly onBehalfOf: string | null;
}

/** Times are integer milliseconds since 1970. `tries` counts forwards of which no byte was sent. */
export type Intent =
  | (IntentCore & { readonly status: 'pending_approval'; readonly decideBy: number })
  | (IntentCore & ApprovedPart & { readonly status: 'approved' })
  | (IntentCore & ApprovedPart & { readonly status: 'scheduled'; readonly execution: ExecutionId })
  | (IntentCore & { readonly status: 'blocked'; readonly reason: ReasonCode; readonly message: string })
  | (IntentCore & { readonly status: 'expired'; readonly reason: 'approval_expired' | 'approval_unused' })
  | (IntentCore & { readonly status: 'succeeded'; readonly upstreamStatus: number | null })
  | (IntentCore & { readonly status: 'failed'; readonly upstreamStatus: number | null })
  | (IntentCore & { readonly status: 'unknown'; readonly execution: ExecutionId });

interface ApprovedPart {
  readonly approvedAt: number;
  readonly approvedBy: 'policy' | PersonId;
  readonly useBy: number;
  readonly tries: number;
}

export type IntentStatus = Intent['status'];

export const intentStatuses = [
  'pending_approval',
  'approved',
  'blocked',
  'scheduled',
  'succeeded',
  'failed',
  'expired',
  'unknown',
] as const satisfies readonly IntentStatus[];
