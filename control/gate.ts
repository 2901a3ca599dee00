// Gate in process: judges what the doors bring, puts it on record, and gives out permits for what may leave.

import { formatId, isIntentId, type ExecutionId, type IntentId } from '../core/ids.ts';
import type { Intent } from '../core/intent.ts';
import { isOver, refuseClaim, type IntentEvent } from '../core/lifecycle.ts';
import type { Outcome } from '../core/outcome.ts';
import { isRefusal, refuse, type Refusal } from '../core/reasons.ts';
import { urlOf, type SealedRequest } from '../core/sealed.ts';
import type { RefusalLog } from './audit/refusals.ts';
import type { Directory } from './directory.ts';
import type { Judge } from './policy/judge.ts';
import type { Mint, PassedRequest } from './permit.ts';
import type { Clock, Gate, IntentRecord, Settled, Store, Submission } from './ports.ts';

export interface GateParts {
  readonly store: Store;
  readonly directory: Directory;
  readonly judge: Judge;
  readonly mint: Mint;
  readonly refusals: RefusalLog;
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
  /** The key of clients that present none; null: such clients are not known. */
  readonly keyOfTheKeyless: string | null;
}

export function createGate(parts: GateParts): Gate {
  const { store, directory, judge, mint, refusals, random } = parts;
  const newExecution = (): ExecutionId => formatId('exe', random(16));

  async function claim(record: IntentRecord, request: SealedRequest): Promise<Settled> {
    const { agent } = request.facts;
    const { decision } = await judge(request.facts, null);
    // A rate limit was counted when the intent was made; everything else must still hold under today's policy.
    if (record.intent.status === 'approved' && decision.verdict === 'block') {
      const message = `The policy would now block it: ${decision.because.message}`;
      await store.advance(record.intent.id, { type: 'supersede', message });
      return refuseIntent(refuse('superseded', decision.because.message), record.intent, request);
    }
    const execution = newExecution();
    const { fingerprint, bindingDigest } = request;
    const by = { name: agent.name, id: agent.id };
    const event: IntentEvent = { type: 'claim', claim: { by, fingerprint, bindingDigest, execution } };
    const claimed = await store.advance(record.intent.id, event);
    if (isRefusal(claimed))
      return refuseIntent(claimed, (await store.intent(record.intent.id))?.intent ?? null, request);
    return { next: 'forward', permit: mint.write(request, claimed.intent.id, execution), intent: claimed.intent };
  }

  async function refuseIntent(refusal: Refusal, intent: Intent | null, request: SealedRequest): Promise<Settled> {
    const { agent } = request.facts;
    const presented = intent !== null && intent.fingerprint !== request.fingerprint ? request.fingerprint : null;
    const metadata = {
      reason_code: refusal.refused,
      digest: intent?.fingerprint ?? null,
      presented,
      request: `${request.method} ${boundedUrl(request)}`,
    };
    const actor = { name: agent.name, id: agent.id };
    await store.record([{ type: 'refused', actor, intent: intent?.id ?? null, metadata }]);
    return { next: 'refuse', refusal, intent };
  }

  return {
    identify: (key) => {
      const caller = directory.authenticate(key ?? parts.keyOfTheKeyless);
      if (isRefusal(caller)) return caller.refused === 'agent_inactive' ? caller : refuse('proxy_unauthorized');
      return caller.kind === 'agent' ? caller.agent : refuse('proxy_unauthorized', 'the key is not an agent’s');
    },

    propose: async (request, { idempotent }) => {
      const execution = newExecution();
      const submission = submissionOf(request, await judge(request.facts, null), {
        id: formatId('int', random(16)),
        execution,
        idempotent,
      });
      const submitted = await store.submit(submission);
      if (isRefusal(submitted)) return refuseIntent(submitted, null, request);
      const { intent } = submitted.record;
      if (submitted.outcome === 'found') return meet(submitted.record, request);
      if (intent.status === 'scheduled')
        return { next: 'forward', permit: mint.write(request, intent.id, execution), intent };
      return stand(submitted.record);
    },

    resume: async (id, request) => {
      const record = isIntentId(id) ? await store.intent(id) : null;
      // Another agent's intent and none at all are answered alike.
      if (record === null || record.intent.agent !== request.facts.agent.id) {
        return refuseIntent(refuse('intent_not_found'), null, request);
      }
      if (record.intent.fingerprint !== request.fingerprint) {
        return refuseIntent(refuse('request_mismatch'), record.intent, request);
      }
      return meet(record, request);
    },

    pass: async (agent, request, as) => {
      const type = as === 'read' ? 'read_passed' : 'write_passed';
      await store.record([
        { type, actor: { name: agent.name, id: agent.id }, intent: null, metadata: passed(request) },
      ]);
      return mint.read(request);
    },

    observe: async (request, requestId) => {
      const { facts, endpoint, method, target, headers } = request;
      const { decision } = await judge(facts, null);
      const body: PassedRequest['body'] = { kind: 'whole', content: facts.body.bytes };
      const passing: PassedRequest = { endpoint, method, target, headers, requestId, body };
      const { reason, policy, policyDigest } = decision.because;
      const found = { would: wouldBe[decision.verdict], reason_code: reason, policy, policy_digest: policyDigest };
      const metadata = { ...passed(passing), ...found, destination: facts.destination.name, sha256: facts.body.sha256 };
      const actor = { name: facts.agent.name, id: facts.agent.id };
      await store.record([{ type: 'observed', actor, intent: null, metadata }]);
      return mint.read(passing);
    },

    report: async (permit, outcome) => {
      const reported = await store.advance(permit.intent, eventOf(permit.execution, outcome));
      if (isRefusal(reported)) throw new Error(`Cannot record the outcome of ${permit.intent}: ${reported.message}`);
      return reported.intent;
    },

    refused: (refusal, request) => refusals.record(refusal, request),
  };

  /** What a request that means a stored intent gets: the permit where it is approved, else where it stands. */
  async function meet(record: IntentRecord, request: SealedRequest): Promise<Settled> {
    const { intent } = record;
    if (intent.status === 'approved') return claim(record, request);
    const now = parts.clock.now();
    if (intent.status === 'pending_approval' && !isOver(intent, now)) return stand(record);
    return refuseIntent(refuseClaim(intent, now), intent, request);
  }
}

const maxRecordedPath = 512;

const wouldBe = { allow: 'would_allow', hold: 'would_hold', block: 'would_block' } as const;

/** Where a passing request goes, without its query, and how much it brings. */
function passed({ endpoint, method, target, requestId, body }: PassedRequest) {
  const [path = ''] = target.split('?', 1);
  const bytes = body.kind === 'none' ? 0 : body.kind === 'whole' ? body.content.length : body.bytes;
  return { method, host: endpoint.host, path: path.slice(0, maxRecordedPath), bytes, requestId };
}

function boundedUrl(request: SealedRequest): string {
  const [url = ''] = urlOf(request).split('?', 1);
  return url.slice(0, maxRecordedPath);
}

/** Where an intent that waits, or that its policy blocked, stands for the one who sent it. */
function stand({ intent, about }: IntentRecord): Settled {
  const { reason, message } = about.decision.because;
  const because: Refusal = { refused: reason, message };
  return intent.status === 'pending_approval'
    ? { next: 'wait', intent, because }
    : { next: 'refuse', refusal: because, intent };
}

function eventOf(execution: ExecutionId, outcome: Outcome): IntentEvent {
  switch (outcome.sent) {
    case 'nothing':
      return { type: 'not_sent', execution, reason: outcome.reason, detail: outcome.detail };
    case 'answered':
      return { type: 'answered', execution, status: outcome.status, bytes: outcome.bytes };
    case 'unknown':
      return { type: 'lost', execution, status: outcome.status, detail: outcome.detail };
  }
}

function submissionOf(
  request: SealedRequest,
  judgement: Submission['judgement'],
  made: { readonly id: IntentId; readonly execution: ExecutionId; readonly idempotent: 'trusted' | 'no' },
): Submission {
  const { facts, headers, fingerprint, bindingDigest, idempotencyKey, distinctBy, singleFlight, method } = request;
  const { body, contentType, estimatedValueUsd, sensitivityTags } = facts;
  return {
    id: made.id,
    agent: facts.agent,
    fingerprint,
    bindingDigest,
    judgement,
    about: {
      origin: 'proxy',
      destination: facts.destination.name,
      policy: facts.policy,
      request: { method, url: urlOf(request), headerNames: headers.map(([name]) => name) },
      recordCount: judgement.recordCount,
      estimatedValueUsd,
      sensitivityTags,
      metadata: {},
      payload: { type: contentType, bytes: body.length, sha256: body.sha256 },
    },
    onBehalfOf: null,
    idempotencyKey,
    distinctBy,
    singleFlight,
    idempotent: made.idempotent,
    payload: { headers, bytes: body.bytes },
    claim: made.execution,
  };
}
