// What cannot be looked through to its end is blocked, never let pass as clean.

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { createJudge } from '../../../control/policy/judge.ts';
import { readPolicy } from '../../../control/policy/schema.ts';
import { requestFacts } from '../../../core/requestFacts.ts';
import { bodyOf } from '../../../proxy/seal.ts';
import { agent } from '../../support/intents.ts';

test('ten megabytes of text that is wrapped in every way are blocked as undecodable', async () => {
  const text = 'id: p\nblock_if_terms: ["evil"]\nauto_approve_under: 1\n';
  const policy = readPolicy('p', { what: 'policy "p"', file: 'p.yaml', text }, '');
  if ('faults' in policy) throw new Error(policy.faults.join('\n'));
  const judge = createJudge(() => new Map([['p', policy.value]]));
  const wrapped = '&#37;3C%26lt;\\x3c=3C<b>\\u0026QUFB ';
  const about = { destination: 'a.b', environment: null, policy: 'p', records: 1, extractRecords: null };
  const judged = (body: string) => {
    const lines = { ...about, maxBodyBytes: body.length };
    return judge(
      requestFacts({ agent, lines, method: 'POST', target: '/', headers: [], body: bodyOf(Buffer.from(body)) }),
      null,
    );
  };
  const { decision } = await judged(wrapped.repeat((10 * 1024 * 1024) / wrapped.length));
  assert.equal(decision.verdict, 'block');
  assert.equal(decision.because.reason, 'undecodable_body');
  assert.equal(decision.because.message, 'there are too many wrappings to look through');
  assert.equal((await judged(wrapped.repeat(1_000))).decision.verdict, 'allow');
});
