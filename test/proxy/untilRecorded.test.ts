import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../proxy/arrival.ts';
import { untilRecorded } from '../../proxy/untilRecorded.ts';

/** What has reached the client, in order. */
function listening() {
  const seen: string[] = [];
  const answer: Answer = {
    head: (status) => void seen.push(`head ${status}`),
    data: (chunk) => {
      seen.push(Buffer.from(chunk).toString());
      return false;
    },
    drained: () => Promise.resolve(),
    end: () => void seen.push('end'),
    cut: () => void seen.push('cut'),
  };
  return { seen, answer };
}

test('I3: with a declared length the last piece waits for the end, the ones before it do not', () => {
  const { seen, answer } = listening();
  const kept = untilRecorded(answer, 'POST');
  kept.head(200, '', [['content-LENGTH', '4']]);
  assert.equal(kept.data(Buffer.from('ab')), false, 'a slow client is still waited for');
  kept.data(Buffer.from('cd'));
  assert.deepEqual(seen, ['head 200', 'ab']);
  kept.end();
  assert.deepEqual(seen, ['head 200', 'ab', 'cd', 'end']);
});

test('I3: without a body the head waits', () => {
  for (const [method, status, headers] of [
    ['POST', 200, [['Content-Length', '0']]],
    ['HEAD', 200, [['Content-Length', '9']]],
    ['POST', 204, []],
    ['POST', 304, []],
  ] as const) {
    const { seen, answer } = listening();
    const kept = untilRecorded(answer, method);
    kept.head(status, '', headers);
    assert.deepEqual(seen, []);
    kept.end();
    assert.deepEqual(seen, [`head ${status}`, 'end']);
  }
});

test('an answer in pieces passes as it comes: only its end says that it is whole', () => {
  const { seen, answer } = listening();
  const kept = untilRecorded(answer, 'POST');
  kept.head(200, '', [['Transfer-Encoding', 'chunked']]);
  kept.data(Buffer.from('event'));
  assert.deepEqual(seen, ['head 200', 'event']);
});

test('what was kept back of an answer that broke off is never sent', () => {
  const { seen, answer } = listening();
  const kept = untilRecorded(answer, 'POST');
  kept.head(200, '', [['Content-Length', '2']]);
  kept.data(Buffer.from('ab'));
  kept.cut();
  assert.deepEqual(seen, ['head 200', 'cut']);
});
