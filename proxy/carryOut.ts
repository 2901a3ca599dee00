// The second half of a request: what was settled is done, recorded, and answered.

import type { Gate, Holds, Settled } from '../control/ports.ts';
import type { ReadPermit, WritePermit } from '../control/permit.ts';
import type { Header } from '../core/facts.ts';
import type { Intent } from '../core/intent.ts';
import type { Outcome } from '../core/outcome.ts';
import { isRefusal, refuse, type Refusal } from '../core/reasons.ts';
import { pendingAnswer, refusalAnswer, type GateAnswer } from './answers.ts';
import type { Answer } from './arrival.ts';
import type { Dialler } from './forward.ts';
import { untilRecorded } from './untilRecorded.ts';
import type { Waiting } from './waiting.ts';
import { refusedRequest, type RequestRecord } from './record.ts';

export interface Performer {
  readonly gate: Gate;
  readonly dialler: Dialler;
  readonly holds: Holds;
  /** Where clients find Gate's own API. */
  readonly publicUrl: () => string;
}

export async function carryOut(settled: Settled, waiting: Waiting, record: RequestRecord, performer: Performer) {
  switch (settled.next) {
    case 'forward':
      return performWrite(settled.permit, settled.intent, record, performer);
    case 'wait':
      // What Gate sends by itself has its answer kept: no connection takes its place.
      return waiting.hold === null || settled.delivery === 'replay'
        ? givePending(settled, waiting, record, performer)
        : hold(settled, waiting, waiting.hold, record, performer);
    case 'refuse':
      return give(refusalAnswer(settled.refusal, contextOf(record, settled.intent)), record);
  }
}

type Pending = Extract<Settled, { next: 'wait' }>;

/** The connection waits on the stored intent; on approval the stored request is claimed for it. */
async function hold(
  pending: Pending,
  waiting: Waiting,
  { by, budgetMs }: NonNullable<Waiting['hold']>,
  record: RequestRecord,
  performer: Performer,
): Promise<void> {
  const { intent, request } = pending;
  const { gone } = record.arrival;
  const given = new AbortController();
  const until = AbortSignal.any([gone, given.signal]);
  const waited = performer.holds.wait({ intent, request, budgetMs, gone: until });
  // Decided while it was on its way here: then nobody would tell this client.
  await performer.gate.tellAgain(intent.id).catch((fault: unknown) => {
    given.abort();
    throw fault;
  });
  switch (await waited) {
    case 'yours': {
      // Hours may have passed: who may not come in any more is not served what was held for them.
      const caller = record.identify();
      if (isRefusal(caller)) return turnAway(caller, record, performer.gate);
      return carryOut(await performer.gate.perform(intent.id), { ...waiting, hold: null }, record, performer);
    }
    case 'taken': {
      const now = await performer.gate.standing(intent.id);
      return give(refusalAnswer(refuse('already_used'), contextOf(record, now.intent)), record);
    }
    case 'over': {
      const settled = await performer.gate.standing(intent.id);
      return carryOut(settled, { ...waiting, hold: null }, record, performer);
    }
    case 'still_pending':
      if (by === 'entry') return givePending(pending, waiting, record, performer);
      return give(pendingAnswer(refuse('hold_timeout'), 408, contextOf(record, intent)), record);
    case 'restarting':
      return give(refusalAnswer(refuse('gate_restarting'), contextOf(record, intent)), record);
    case 'gone':
      return;
  }
}

function givePending(pending: Pending, waiting: Waiting, record: RequestRecord, { publicUrl }: Performer): void {
  const answer = pendingAnswer(pending.because, waiting.pendingStatus, contextOf(record, pending.intent));
  if (pending.delivery === 'connection') return give(answer, record);
  const location = `${publicUrl()}/v1/intents/${pending.intent.id}/response`;
  give({ ...answer, headers: [...answer.headers, ['Location', location]] }, record);
}

async function performWrite(permit: WritePermit, intent: Intent, record: RequestRecord, { gate, dialler }: Performer) {
  const { gone } = record.arrival;
  const answer = untilRecorded(record.arrival.answer, permit.request.method);
  const annotations: readonly Header[] = [['X-Gate-Intent-Id', intent.id]];
  const outcome = await dialler.forward(permit, { answer, gone, annotations });
  const after = await gate.report(permit, outcome);
  conclude(outcome, after, answer, record);
}

/** A passed request: on record before it is dialled, without an intent. */
export async function performPassed(permit: ReadPermit, record: RequestRecord, dialler: Dialler) {
  const { answer, gone } = record.arrival;
  const outcome = await dialler.forward(permit, { answer, gone, annotations: [] });
  conclude(outcome, null, answer, record);
}

/** Ends the answer as it was; where none began, says what became of the request; one cut short is cut short. */
function conclude(outcome: Outcome, intent: Intent | null, answer: Answer, record: RequestRecord): void {
  switch (outcome.sent) {
    case 'answered':
      return answer.end();
    case 'nothing':
      return give(refusalAnswer(refuse(outcome.reason, outcome.detail), contextOf(record, intent)), record);
    case 'unknown':
      // Of an empty answer the head may not have gone out yet: a cut says the same of it as of half a body.
      if (outcome.status !== null) return answer.cut();
      return give(refusalAnswer(lostRefusal(intent), contextOf(record, intent)), record);
  }
}

/** Of a read nothing can have been carried out. */
function lostRefusal(intent: Intent | null): Refusal {
  return refuse(intent === null ? 'upstream_failed' : 'outcome_unknown');
}

/** Puts a refusal on record, then answers it. */
export async function turnAway(refusal: Refusal, record: RequestRecord, gate: Pick<Gate, 'refused'>) {
  await gate.refused(refusal, refusedRequest(record));
  give(refusalAnswer(refusal, contextOf(record, null)), record);
}

export function give({ status, headers, body }: GateAnswer, { arrival }: Pick<RequestRecord, 'arrival'>): void {
  arrival.answer.head(status, '', headers);
  arrival.answer.data(Buffer.from(body));
  arrival.answer.end();
}

function contextOf({ requestId, destination, policy }: RequestRecord, intent: Intent | null) {
  return { requestId, destination, policy, intent };
}
