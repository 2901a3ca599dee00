// Everything a policy may see of a request; the door it came through is not among it.

import type { AgentId, PersonId } from './ids.ts';

/** The only type in which a body travels: whole, measured and digested. */
export interface Body {
  readonly length: number;
  /** SHA-256 of `bytes`, lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

export type RiskTier = 'standard' | 'elevated' | 'restricted';
export type Role = 'agent' | 'reviewer' | 'admin';
export type PrincipalStatus = 'active' | 'suspended' | 'revoked';

/** An agent as it acts: who it is, and what an admin has laid down about it. */
export interface Agent {
  readonly id: AgentId;
  readonly name: string;
  readonly riskTier: RiskTier;
  /** The person it acts for: that person never decides on what it proposes. */
  readonly person: PersonId | null;
  readonly environment: string | null;
  /** null: any. */
  readonly allowedPolicies: readonly string[] | null;
  readonly allowedDestinations: readonly string[] | null;
}

/** One HTTP field line as it came: name and value in latin1, order and case kept. */
export type Header = readonly [name: string, value: string];

/** What destinations.yaml says of a request, as far as a policy may see it. */
export interface DestinationFacts {
  readonly name: string;
  readonly environment: string | null;
}

export interface Facts {
  readonly agent: Agent;
  readonly destination: DestinationFacts;
  /** The id of the policy that judges; there need not be one of this name. */
  readonly policy: string | null;
  /** Method and target of a proxied request; null for a payload proposed by the SDK. */
  readonly request: { readonly method: string; readonly target: string } | null;
  readonly body: Body;
  /** Media type as declared; null when none was. */
  readonly contentType: string | null;
  /** Content-Encoding as declared, lower case; null when none was. */
  readonly contentEncoding: string | null;
  /** How many records it is about, where that is fixed or was declared. */
  readonly recordCount: number | null;
  /** Where in the body they are counted instead; null: nowhere. */
  readonly extractRecords: string | null;
  /** Most bytes of the body decoded: a body that becomes more cannot be judged. */
  readonly decodedLimitBytes: number;
  readonly estimatedValueUsd: number | null;
  readonly sensitivityTags: readonly string[];
  /** `metadata.environment` of an SDK payload: counts only where nothing else is set. */
  readonly declaredEnvironment: string | null;
}
