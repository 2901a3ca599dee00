import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../core/outcome.ts';
import { open } from '../../core/lifecycle.ts';
import { refuse } from '../../core/reasons.ts';
import type { Arrival } from '../../proxy/arrival.ts';
import { carryOut, turnAway } from '../../proxy/carryOut.ts';
import { openRecord } from '../../proxy/record.ts';
import { recordAnswer } from '../support/answer.ts';
import { agent, allow, core } from '../support/intents.ts';

function arrive() {
  const answer = recordAnswer();
  const arrival: Arrival = {
    via: { door: 'forward' },
    tunnelKey: null,
    tunnelSni: 'agrees',
    source: '127.0.0.1',
    method: 'POST',
    version: '1.1',
    target: 'http://a.test/',
    headers: [],
    body: (async function* () {})(),
    gone: new AbortController().signal,
    invite: () => undefined,
    endConnection: () => undefined,
    answer,
  };
  return { answer, record: openRecord(arrival, 'r', () => agent) };
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

test('I3: a refusal is answered only when it is on record', async () => {
  const { answer, record } = arrive();
  const recorded = Promise.withResolvers<void>();
  const turning = turnAway(refuse('destination_unknown'), record, { refused: () => recorded.promise });
  await turns();
  assert.equal(answer.status, null);
  recorded.resolve();
  await turning;
  assert.equal(answer.status, 403);
});

test('a refusal that cannot be recorded is not answered as one', async () => {
  const { answer, record } = arrive();
  const turning = turnAway(refuse('destination_unknown'), record, { refused: () => Promise.reject(new Error('full')) });
  await assert.rejects(turning, /full/);
  assert.equal(answer.status, null);
});

/** Carries a permit out, whose outcome is `outcome`; `report` is when that is on record. */
function perform(outcome: Outcome, report: Promise<void>) {
  const { answer, record } = arrive();
  const { intent } = open(core, allow, {}, 1_000);
  const performer = {
    gate: {
      report: async () => {
        await report;
        return intent;
      },
    },
    dialler: {
      forward: async () => {
        if (outcome.sent === 'answered') answer.head(outcome.status, '', []);
        return outcome;
      },
    },
  };
  // Of everything that a request may need, a forward needs these alone.
  const done = carryOut(
    { next: 'forward', permit: { request: { method: 'POST' } }, intent } as never,
    {} as never,
    record,
    performer as never,
  );
  return { answer, done };
}

test('I3: an answer ends only when its outcome is on record', async () => {
  const recorded = Promise.withResolvers<void>();
  const { answer, done } = perform({ sent: 'answered', status: 200, bytes: 0 }, recorded.promise);
  await turns();
  assert.equal(answer.state, 'open');
  recorded.resolve();
  await done;
  assert.equal(answer.state, 'ended');
});

test('I3: that an outcome is unknown is told only when that is on record', async () => {
  const recorded = Promise.withResolvers<void>();
  const { answer, done } = perform({ sent: 'unknown', status: null, detail: 'ECONNRESET' }, recorded.promise);
  await turns();
  assert.equal(answer.status, null);
  recorded.resolve();
  await done;
  assert.equal(answer.status, 502);
});

test('G11: an answer that broke off on its way is cut off, never ended', async () => {
  const { answer, done } = perform({ sent: 'unknown', status: 200, detail: 'ECONNRESET' }, Promise.resolve());
  await done;
  assert.equal(answer.state, 'cut');
});
