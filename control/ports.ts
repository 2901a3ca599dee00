// The interfaces between Gate's parts; their comments are the contract that every adapter is tested against.

import type { EventDraft, LoggedEvent } from '../core/audit.ts';
import type { Json } from '../core/canonical.ts';
import type { Judgement, Decision } from '../core/decision.ts';
import type { Agent, Header, PrincipalStatus, RiskTier, Role } from '../core/facts.ts';
import type { AgentId, ExecutionId, IntentId, KeyId, PersonId, PrincipalId } from '../core/ids.ts';
import type { Actor, Intent, IntentStatus, Reviewer } from '../core/intent.ts';
import type { IntentEvent } from '../core/lifecycle.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Refusal } from '../core/reasons.ts';
import type { Scheme, SealedRequest } from '../core/sealed.ts';
import type { PassedRequest, ReadPermit, WritePermit } from './permit.ts';

export interface Clock {
  /** Integer milliseconds since 1970. May step in either direction; the store never lets time run backwards. */
  now(): number;
}

/** What was judged, kept beside the intent and never changed. */
export interface IntentAbout {
  readonly origin: 'proxy' | 'sdk';
  readonly destination: string;
  readonly policy: string | null;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headerNames: readonly string[];
    /** The method that a header tells the upstream to take instead. */
    readonly methodOverride: string | null;
  } | null;
  /** Where a proxied request goes, as it was sent; with the payload it is the whole request. */
  readonly place: RequestPlace | null;
  /** To whom the answer goes: the client's own connection, or kept for it to fetch. */
  readonly delivery: 'connection' | 'replay';
  readonly recordCount: number | null;
  readonly estimatedValueUsd: number | null;
  readonly sensitivityTags: readonly string[];
  readonly metadata: Json;
  readonly payload: { readonly type: string | null; readonly bytes: number; readonly sha256: string };
  readonly decision: Decision;
  readonly evaluatedAt: number;
  /** The intent that had this idempotency key before and failed. */
  readonly after: IntentId | null;
}

export interface RequestPlace {
  readonly scheme: Scheme;
  readonly host: string;
  readonly port: number;
  readonly method: string;
  readonly target: string;
}

/** An upstream's answer, kept for a client that did not wait for it. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
}

export interface IntentRecord {
  readonly intent: Intent;
  readonly about: IntentAbout;
  /** Place in the list: grows with each intent. */
  readonly row: number;
}

export interface Submission {
  readonly id: IntentId;
  readonly agent: Agent;
  readonly fingerprint: string;
  readonly bindingDigest: string;
  readonly judgement: Judgement;
  readonly about: Omit<IntentAbout, 'decision' | 'evaluatedAt' | 'after'>;
  readonly onBehalfOf: string | null;
  readonly idempotencyKey: string | null;
  readonly distinctBy: string | null;
  readonly singleFlight: 'shared' | 'apart';
  /** Whether an `unknown` one under the same idempotency key is judged anew (the API deduplicates). */
  readonly idempotent: 'trusted' | 'no';
  readonly payload: { readonly headers: readonly Header[]; readonly bytes: Uint8Array };
  /** Given: an intent that the policy allows is claimed for this execution in the same transaction. */
  readonly claim: ExecutionId | null;
}

export type Submitted =
  | { readonly outcome: 'created'; readonly record: IntentRecord }
  | { readonly outcome: 'found'; readonly record: IntentRecord };

export interface StoredPayload {
  readonly type: string | null;
  readonly headers: readonly Header[];
  readonly bytes: Uint8Array;
}

export interface IntentQuery {
  readonly status: IntentStatus | null;
  readonly destination: string | null;
  readonly agent: AgentId | null;
  readonly sort: 'newest' | 'expires' | 'risk';
  readonly limit: number;
  readonly cursor: Cursor | null;
}

/** Where a page ended: the sort value and the row of its last intent. */
export interface Cursor {
  readonly value: number;
  readonly row: number;
}

export interface StoredPrincipal {
  readonly id: PrincipalId;
  readonly kind: 'agent' | 'person';
  readonly name: string;
  readonly role: Role;
  readonly status: PrincipalStatus;
  readonly createdAt: number;
  readonly agent: AgentDetails | null;
}

export interface AgentDetails {
  readonly riskTier: RiskTier;
  readonly owner: string | null;
  readonly person: PersonId | null;
  readonly environment: string | null;
  readonly framework: string | null;
  readonly allowedPolicies: readonly string[] | null;
  readonly allowedDestinations: readonly string[] | null;
  readonly metadata: Json;
}

export interface StoredKey {
  readonly id: KeyId;
  readonly principal: PrincipalId;
  /** SHA-256 of the key, hexadecimal: the key itself is never stored. */
  readonly hash: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

export interface NewKey {
  readonly id: KeyId;
  readonly hash: string;
}

export interface AuditQuery {
  readonly intent: IntentId | null;
  readonly after: number;
  readonly type: string | null;
  readonly limit: number;
}

export interface ChainedEvent extends LoggedEvent {
  /** Hexadecimal: SHA-256(0x00 ‖ leaf), the link over all before it, and the HMAC of that link. */
  readonly leaf: string;
  readonly link: string;
  readonly mac: string;
}

export interface Counts {
  readonly attempted: number;
  readonly blocked: number;
  readonly pending: number;
  readonly approved: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly duplicate: number;
  readonly approvalLatencyMs: number;
}

/**
 * The record. Every method is one transaction and takes no callback; a returned promise that resolves means the
 * change is durable, one that rejects means that nothing of it happened. Audit events are written inside the
 * transaction that makes them true. The store's time never runs backwards, and every deadline is checked against it.
 */
export interface Store {
  /**
   * Finds the intent that this request means, or makes it. Found: the same agent and idempotency key, or an identical
   * request's pending, approved and unused, or rejected intent until it expires. Made: the judgement's decision
   * stands, the rate limit counted here; an allowed one is claimed where `claim` is given.
   */
  submit(submission: Submission): Promise<Submitted | Refusal>;
  /** Applies one event. `not_found` when there is no such intent; any refusal leaves no trace. */
  advance(id: IntentId, event: IntentEvent): Promise<IntentRecord | Refusal>;
  /** Appends events that belong to no transition. */
  record(events: readonly EventDraft[]): Promise<void>;
  /** Ends up to `limit` intents whose deadline has passed; returns them. */
  expireDue(limit: number): Promise<readonly IntentRecord[]>;
  /** At start, before any door opens: forwards without an outcome become `unknown`. Returns how many. */
  recover(): Promise<number>;
  /** The judged bytes, and a `payload_viewed` event; null when there is no such intent, `payload_purged` after retention. */
  viewPayload(id: IntentId, by: Reviewer): Promise<StoredPayload | Refusal | null>;

  /** Keeps an answer, once; a second one for the same intent is a fault. */
  keepAnswer(id: IntentId, answer: KeptAnswer): Promise<void>;

  intent(id: IntentId): Promise<IntentRecord | null>;
  /** The stored request's header lines and body, for Gate's own use: no event. Null when purged or unknown. */
  request(id: IntentId): Promise<StoredPayload | null>;
  /** Null when none is kept, `payload_purged` after its retention. */
  keptAnswer(id: IntentId): Promise<KeptAnswer | Refusal | null>;
  /** Approved intents that Gate sends by itself, oldest first. */
  replaysDue(limit: number): Promise<readonly IntentRecord[]>;
  /** Newest, soonest to expire or riskiest first; never more than `limit`. */
  intents(query: IntentQuery): Promise<readonly IntentRecord[]>;
  /** Oldest first, after `after`. */
  events(query: AuditQuery): Promise<readonly ChainedEvent[]>;
  counts(): Promise<Counts>;

  principals(): Promise<{ readonly principals: readonly StoredPrincipal[]; readonly keys: readonly StoredKey[] }>;
  addPrincipal(principal: StoredPrincipal, key: NewKey, by: Actor): Promise<void>;
  setStatus(id: PrincipalId, status: PrincipalStatus, by: Actor): Promise<void>;
  /** Adds a key; the principal's other keys end after `overlapMs`, or live on where it is null. */
  addKey(principal: PrincipalId, key: NewKey, overlapMs: number | null, by: Actor): Promise<void>;
  revokeKey(id: KeyId, by: Actor): Promise<void>;

  /** After every call made before it; later calls reject. */
  close(): Promise<void>;
}

/**
 * What became of waiting. `yours`: approved, and this client's connection is the one that gets the answer. `taken`:
 * approved, for a younger client. `over`: rejected, expired or otherwise ended. `still_pending`: the budget is used up.
 */
export type Waited = 'yours' | 'taken' | 'over' | 'still_pending' | 'gone' | 'restarting';

export interface HeldClient {
  readonly intent: Intent;
  readonly request: { readonly method: string; readonly url: string } | null;
  readonly heldSince: number;
  readonly expiresAt: number;
}

export interface Holds {
  wait(client: WaitingClient): Promise<Waited>;
  list(): readonly HeldClient[];
  /** Sends everyone away, in slices; who comes later is sent away at once. */
  stop(): Promise<void>;
}

export interface WaitingClient {
  readonly intent: Intent;
  readonly request: HeldClient['request'];
  readonly budgetMs: number;
  readonly gone: AbortSignal;
}

/** What the judgement and the record make of a request that stands at the door. */
export type Settled =
  | { readonly next: 'forward'; readonly permit: WritePermit; readonly intent: Intent }
  | {
      readonly next: 'wait';
      readonly intent: Intent;
      readonly request: HeldClient['request'];
      readonly delivery: IntentAbout['delivery'];
      readonly because: Refusal;
    }
  | { readonly next: 'refuse'; readonly refusal: Refusal; readonly intent: Intent | null };

/** A refusal as it goes on record: who asked for what, as far as it was known by then. */
export interface RefusedRequest {
  readonly requestId: string;
  readonly source: string;
  readonly agent: Agent | null;
  readonly method: string;
  /** Host and path, or null where the request did not get that far. */
  readonly host: string | null;
  readonly path: string | null;
}

export interface ProposeOptions {
  readonly idempotent: 'trusted' | 'no';
  readonly delivery: IntentAbout['delivery'];
}

/** Gate as the doors see it. A rejected promise means that nothing may be sent. */
export interface Gate {
  /** The agent of a key; null stands for no key at all. */
  identify(key: string | null): Agent | Refusal;
  /** Judges a request and puts it on record; an allowed one, or an approved one that it means, is claimed. */
  propose(request: SealedRequest, options: ProposeOptions): Promise<Settled>;
  /** Claims the approved intent that the client names, if this is its request. */
  resume(intent: string, request: SealedRequest): Promise<Settled>;
  /** Claims an approved intent for the request as it is stored, under today's policy and destinations. */
  perform(intent: IntentId): Promise<Settled>;
  /** Where an intent stands, for a client that waited for it. */
  standing(intent: IntentId): Promise<Settled>;
  /** Publishes an intent's state once more where it is decided already. */
  tellAgain(intent: IntentId): Promise<void>;
  /** Puts a request on record that passes unjudged. */
  pass(agent: Agent, request: PassedRequest, as: 'read' | 'write'): Promise<ReadPermit>;
  /** Judges a request, records what would have become of it, and lets it pass. */
  observe(request: SealedRequest, requestId: string): Promise<ReadPermit>;
  /** Puts the outcome of a claimed request on record; returns the intent as it then stands. */
  report(permit: WritePermit, outcome: Outcome): Promise<Intent>;
  /** Puts a refusal on record, before it is answered. */
  refused(refusal: Refusal, request: RefusedRequest): Promise<void>;
}
