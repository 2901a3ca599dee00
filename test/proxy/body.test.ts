import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRefusal } from '../../core/reasons.ts';
import { createBudget, readBody, type Budget, type Framing } from '../../proxy/body.ts';

const limitBytes = 10;

/** A body as it comes; `breaks`: it ends in the middle of something. */
async function* coming(chunks: readonly string[], breaks: 'breaks' | 'whole'): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
  if (breaks === 'breaks') throw new Error('the connection is gone');
}

async function read(
  framing: Framing,
  chunks: readonly string[],
  options: { breaks?: 'breaks' | 'whole'; budget?: Budget } = {},
): Promise<string> {
  const { breaks = 'whole', budget = createBudget(100) } = options;
  let invited = 0;
  const arrival = { body: coming(chunks, breaks), invite: () => void invited++ };
  const body = await readBody(arrival, framing, limitBytes, budget);
  if (isRefusal(body)) return `${body.refused}${invited > 0 ? ' after the invitation' : ''}`;
  const text = Buffer.from(body.bytes).toString();
  body.release();
  return `read ${text}`;
}

const length = (bytes: number): Framing => ({ kind: 'length', bytes });
const chunked: Framing = { kind: 'chunked' };

test('a body within its limit is read whole', async () => {
  assert.equal(await read(length(10), ['01234', '56789']), 'read 0123456789');
  assert.equal(await read(chunked, ['01234', '56789']), 'read 0123456789');
  assert.equal(await read({ kind: 'none' }, []), 'read ');
});

test('a body that declares more than its limit is refused before it is asked for', async () => {
  assert.equal(await read(length(11), []), 'body_too_large');
});

test('I6: a body that comes to more than its limit is refused, never cut', async () => {
  assert.equal(await read(chunked, ['01234', '56789', '0']), 'body_too_large after the invitation');
  assert.equal(await read(length(1), ['01234567890']), 'body_too_large after the invitation');
});

test('I6, A26: a body that breaks off, or is not as long as declared, is refused as incomplete', async () => {
  assert.equal(await read(chunked, ['01234'], { breaks: 'breaks' }), 'body_incomplete after the invitation');
  assert.equal(await read(length(10), ['01234'], { breaks: 'breaks' }), 'body_incomplete after the invitation');
  assert.equal(await read(length(10), ['01234']), 'body_incomplete after the invitation');
  assert.equal(await read(length(3), ['01234']), 'body_incomplete after the invitation');
});

test('T13: what all bodies hold together is bounded, declared or not', async () => {
  const budget = createBudget(8);
  assert.equal(await read(length(9), [], { budget }), 'gate_unavailable');
  assert.equal(await read(chunked, ['012345678'], { budget }), 'gate_unavailable after the invitation');
});

test('T13: a body that is refused or done with leaves nothing behind in the budget', async () => {
  const budget = createBudget(10);
  for (let n = 0; n < 5; n++) {
    await read(length(10), ['01234'], { budget, breaks: 'breaks' });
    await read(length(10), ['01234'], { budget });
    await read(chunked, ['01234567890'], { budget });
    assert.equal(await read(length(10), ['0123456789'], { budget }), 'read 0123456789');
  }
});
