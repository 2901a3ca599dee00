import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, test } from 'node:test';
import { createJudging } from '../../control/judging.ts';
import { createJudge } from '../../control/policy/judge.ts';
import { readPolicy } from '../../control/policy/schema.ts';
import { requestFacts } from '../../core/requestFacts.ts';
import { bodyOf } from '../../proxy/seal.ts';
import { agent } from '../support/intents.ts';

const text =
  'id: p\nblock_if_terms: ["sue"]\nfield_checks: [{ path: "rows[*].amount", max: 100 }]\nauto_approve_under: 1\n';
const read = readPolicy('p', { what: 'policy "p"', file: 'p.yaml', text }, 'd'.repeat(64));
assert.ok('value' in read);
const policies = () => new Map([['p', read.value]]);
const judging = createJudging(policies);
after(() => judging.close());

const factsOf = (body: string) =>
  requestFacts({
    agent,
    lines: {
      destination: 'a.b',
      environment: null,
      policy: 'p',
      records: 1,
      extractRecords: null,
      maxBodyBytes: 32 << 20,
    },
    method: 'POST',
    target: '/x',
    headers: [['Content-Type', 'application/json']],
    body: bodyOf(Buffer.from(body)),
  });
const rows = (count: number, last: object) =>
  JSON.stringify({
    rows: [...Array.from({ length: count }, (_, n) => ({ amount: n % 100, note: 'an issue, resolved' })), last],
  });

test('a large body is judged in its thread exactly as a small one where it stands', async () => {
  const near = createJudge(policies);
  for (const body of [
    rows(5_000, {}),
    rows(5_000, { amount: 101 }),
    rows(5_000, { note: 'we will sue' }),
    rows(5_000, {}).slice(1),
  ]) {
    assert.ok(body.length > 64 * 1024);
    const [far, here] = [await judging.judge(factsOf(body), null), await near(factsOf(body), null)];
    assert.deepEqual(far, here);
  }
  const verdicts = [rows(5_000, {}), rows(5_000, { note: 'we will sue' })].map((body) =>
    judging.judge(factsOf(body), null),
  );
  assert.deepEqual(
    (await Promise.all(verdicts)).map(({ decision }) => decision.verdict),
    ['allow', 'block'],
  );
});

test('H13: while ten megabytes are judged, the loop that serves everybody goes on', async () => {
  const body = rows(200_000, { note: 'we will sue' });
  const facts = factsOf(body);
  await judging.judge(factsOf(rows(5_000, {})), null);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let turns = 0;
  const timer = setInterval(() => turns++, 5);
  const { decision } = await judging.judge(facts, null);
  clearInterval(timer);
  delay.disable();
  assert.equal(decision.verdict, 'block');
  // A loop that stood still for the judgement would have turned once or twice.
  assert.ok(turns > 20, String(turns));
});

test('a thread that ends fails what it had, and the next large body starts another', async () => {
  const pending = judging.judge(factsOf(rows(50_000, {})), null);
  await judging.close();
  await assert.rejects(pending, /judging thread has ended/);
  assert.equal((await judging.judge(factsOf(rows(5_000, {})), null)).decision.verdict, 'allow');
});
