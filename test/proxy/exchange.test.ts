import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange, NotSent, type Controller, type ExchangeOptions } from '../../proxy/exchange.ts';
import { recordAnswer } from '../support/answer.ts';

function begin(changes: Partial<ExchangeOptions> = {}) {
  const answer = recordAnswer();
  const client = new AbortController();
  const aborted: Error[] = [];
  const controller = (rawHeaders: readonly string[] = []): Controller => ({
    rawHeaders,
    abort: (reason) => void aborted.push(reason),
    pause: () => undefined,
    resume: () => undefined,
  });
  const { handler, outcome } = exchange({
    method: 'POST',
    answer,
    gone: client.signal,
    annotations: [['X-Gate-Intent-Id', 'int_1']],
    whenGone: 'drain',
    startWithinMs: 60_000,
    drainWithinMs: 1_000,
    ...changes,
  });
  return { answer, client, aborted, controller, handler, outcome };
}

test('an error before the first byte is a request that was not sent, with its reason', async () => {
  const { handler, controller, outcome } = begin();
  handler.onResponseError(controller(), new NotSent('address_not_allowed', 'the address is loopback'));
  assert.deepEqual(await outcome, {
    sent: 'nothing',
    reason: 'address_not_allowed',
    detail: 'the address is loopback',
  });
});

test('M14: once a byte may have left, an error leaves the outcome unknown, whatever the error says', async () => {
  const { handler, controller, outcome } = begin();
  handler.onRequestStart(controller());
  handler.onResponseError(controller(), new NotSent('upstream_unreachable', 'it says that nothing was sent'));
  assert.equal((await outcome).sent, 'unknown');
});

test('a request that has not begun in its time is given up, and never begins', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { handler, controller, outcome, aborted } = begin({ startWithinMs: 1_000 });
  t.mock.timers.tick(1_000);
  const found = await outcome;
  assert.equal(found.sent === 'nothing' && found.reason, 'upstream_timeout');
  handler.onRequestStart(controller());
  assert.equal(aborted.length, 1);
});

test('a request whose client is gone before it begins is not sent', async () => {
  const { handler, controller, outcome, aborted, client } = begin();
  client.abort();
  assert.equal((await outcome).sent, 'nothing');
  handler.onRequestStart(controller());
  assert.equal(aborted.length, 1);
});

test('M16: a write under way whose client is gone is waited for, a bounded time; a read is let go', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const write = begin();
  write.handler.onRequestStart(write.controller());
  write.client.abort();
  assert.equal(write.aborted.length, 0);
  t.mock.timers.tick(1_000);
  assert.equal(write.aborted.length, 1);
  const read = begin({ whenGone: 'abort' });
  read.handler.onRequestStart(read.controller());
  read.client.abort();
  assert.equal(read.aborted.length, 1);
});

test('E29: an upstream cannot speak in the name of Gate', () => {
  const { handler, controller, answer } = begin();
  handler.onRequestStart(controller());
  const lines = ['X-Gate-Intent-Id', 'int_lie', 'x-gate-status', 'approved', 'Connection', 'close', 'ETag', '"a"'];
  handler.onResponseStart(controller(lines), 200, {});
  assert.deepEqual(answer.headers, [
    ['ETag', '"a"'],
    ['X-Gate-Intent-Id', 'int_1'],
  ]);
});

test('H16: an answer with a status that is none, or with header lines without end, is broken off', () => {
  for (const [status, lines] of [
    [99, 1],
    [600, 1],
    [200, 501],
  ] as const) {
    const { handler, controller, answer, aborted } = begin();
    handler.onRequestStart(controller());
    handler.onResponseStart(controller(Array<string>(2 * lines).fill('a')), status, {});
    assert.equal(aborted.length, 1);
    assert.equal(answer.status, null);
  }
});

test('interim answers reach nobody, and the final one does', async () => {
  const { handler, controller, answer, outcome } = begin();
  handler.onRequestStart(controller());
  handler.onResponseStart(controller(), 103, {});
  assert.equal(answer.status, null);
  handler.onResponseStart(controller(), 201, {});
  handler.onResponseData(controller(), Buffer.from('made'));
  handler.onResponseEnd();
  assert.equal(answer.status, 201);
  assert.deepEqual(await outcome, { sent: 'answered', status: 201, bytes: 4 });
});

test('I3: the end of an answer is left to whoever records its outcome', async () => {
  const { handler, controller, answer, outcome } = begin();
  handler.onRequestStart(controller());
  handler.onResponseStart(controller(), 200, {});
  handler.onResponseEnd();
  await outcome;
  assert.equal(answer.state, 'open');
});

test('an answer that ends without a head is no answer', async () => {
  const { handler, controller, outcome } = begin();
  handler.onRequestStart(controller());
  handler.onResponseEnd();
  handler.onResponseError(controller(), new Error('closed'));
  assert.equal((await outcome).sent, 'unknown');
});
