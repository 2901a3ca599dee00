// Gate in process: judges what the doors bring, puts it on record, and gives out permits for what may leave.

import type { Header } from '../core/facts.ts';
import { formatId, isIntentId, type ExecutionId, type IntentId } from '../core/ids.ts';
import type { Intent } from '../core/intent.ts';
import { isOver, refuseClaim, type IntentEvent } from '../core/lifecycle.ts';
import type { Outcome } from '../core/outcome.ts';
import { isRefusal, refuse, type Refusal } from '../core/reasons.ts';
import { urlOf, type SealedRequest } from '../core/sealed.ts';
import type { Changes } from './changes.ts';
import { methodOverrides } from '../proxy/wire/fieldNames.ts';
import type { RefusalLog } from './audit/refusals.ts';
import type { Directory } from './directory.ts';
import type { Judge } from './policy/judge.ts';
import type { Restore } from './restore.ts';
import type { Mint, PassedRequest } from './permit.ts';
import type { Clock, Gate, IntentRecord, ProposeOptions, Settled, Store, Submission } from './ports.ts';

export interface GateParts {
  readonly store: Store;
  readonly directory: Directory;
  readonly judge: Judge;
  readonly mint: Mint;
  readonly refusals: RefusalLog;
  readonly clock: Clock;
  readonly changes: Changes;
  /** The stored request, sealed under today's configuration. */
  readonly restore: Restore;
  readonly random: (length: number) => Uint8Array;
  /** The key of clients that present none; null: such clients are not known. */
  readonly keyOfTheKeyless: string | null;
}

export function createGate(parts: GateParts): Gate {
  const { store, directory, judge, mint, refusals, random } = parts;
  const newExecution = (): ExecutionId => formatId('exe', random(16));

  async function claim(record: IntentRecord, presented: SealedRequest): Promise<Settled> {
    const request = await withStoredKey(record, presented, store);
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

    propose: async (request, { idempotent, delivery }) => {
      const execution = newExecution();
      const submission = submissionOf(request, await judge(request.facts, null), {
        id: formatId('int', random(16)),
        execution,
        idempotent,
        delivery,
      });
      const submitted = await store.submit(submission);
      if (isRefusal(submitted)) return refuseIntent(submitted, null, request);
      const { intent } = submitted.record;
      if (submitted.outcome === 'found') return meet(submitted.record, request);
      if (intent.status === 'scheduled')
        return { next: 'forward', permit: mint.write(request, intent.id, execution), intent };
      // What Gate sends by itself is under way as soon as the policy allows it.
      if (intent.status === 'approved') parts.changes.publish(submitted.record);
      return stand(submitted.record, parts.clock.now());
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

    perform: async (id) => {
      const record = await store.intent(id);
      if (record === null) throw new Error(`Cannot perform ${id}: there is no such intent`);
      if (record.intent.status !== 'approved') {
        return { next: 'refuse', refusal: refuseClaim(record.intent, parts.clock.now()), intent: record.intent };
      }
      const request = await parts.restore(record);
      if (!isRefusal(request)) return claim(record, request);
      if (request.refused === 'superseded') {
        await store.advance(id, { type: 'supersede', message: request.message });
      }
      return { next: 'refuse', refusal: request, intent: record.intent };
    },

    standing: async (id) => {
      const record = await store.intent(id);
      if (record === null) throw new Error(`Cannot look up ${id}: there is no such intent`);
      return stand(record, parts.clock.now());
    },

    tellAgain: async (id) => {
      const record = await store.intent(id);
      if (record !== null && record.intent.status !== 'pending_approval') parts.changes.publish(record);
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
    const { intent, about } = record;
    const now = parts.clock.now();
    if (intent.status === 'approved' && about.delivery === 'connection') return claim(record, request);
    const settled = stand(record, now);
    return settled.next === 'refuse' ? refuseIntent(settled.refusal, intent, request) : settled;
  }
}

/** An API that saw a first try under one Idempotency-Key sees the approved request under that key too. */
async function withStoredKey(
  { intent, about }: IntentRecord,
  request: SealedRequest,
  store: Pick<Store, 'request'>,
): Promise<SealedRequest> {
  const isKey = ([name]: Header) => name.toLowerCase() === 'idempotency-key';
  const isConcerned = request.headers.some(isKey) || about.request?.headerNames.some((name) => isKey([name, '']));
  const stored = isConcerned === true ? await store.request(intent.id) : null;
  if (stored === null) return request;
  const headers = [...request.headers.filter((header) => !isKey(header)), ...stored.headers.filter(isKey)];
  return Object.freeze({ ...request, headers });
}

const maxRecordedPath = 512;
const overrides: ReadonlySet<string> = new Set(methodOverrides);

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

/** Where an intent stands for the one who sent it: it waits for a person, or for Gate to send it, or it is over. */
function stand({ intent, about }: IntentRecord, now: number): Settled {
  const { reason, message } = about.decision.because;
  const because: Refusal = { refused: reason, message };
  const isWaiting =
    intent.status === 'pending_approval' || (intent.status === 'approved' && about.delivery === 'replay');
  if (isWaiting && !isOver(intent, now)) {
    const { request, delivery } = about;
    return { next: 'wait', intent, request, delivery, because };
  }
  return { next: 'refuse', refusal: refuseClaim(intent, now), intent };
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
  made: ProposeOptions & { readonly id: IntentId; readonly execution: ExecutionId },
): Submission {
  const { facts, headers, fingerprint, bindingDigest, idempotencyKey, distinctBy, singleFlight, method, target } =
    request;
  const methodOverride = headers.find(([name]) => overrides.has(name.toLowerCase()))?.[1] ?? null;
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
      request: { method, url: urlOf(request), headerNames: headers.map(([name]) => name), methodOverride },
      place: { scheme: request.schemeAsSent, host: request.endpoint.host, port: request.portAsSent, method, target },
      delivery: made.delivery,
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
    // What Gate sends by itself is claimed by itself, whether policy or person approved it.
    claim: made.delivery === 'replay' ? null : made.execution,
  };
}
