// Every shipped cases file against its policy, and what the runner says of a case that does not hold.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCases } from '../config/casesRun.ts';
import { packageDir } from '../config/load.ts';

const shipped = await runCases(join(packageDir, 'policies'));
if ('faults' in shipped) throw new Error(shipped.faults.join('\n'));

test('every shipped policy has cases', () => {
  assert.deepEqual(shipped.value.without, []);
  assert.deepEqual(
    shipped.value.ran.map(({ policy }) => policy),
    ['blog-publish', 'crm-low-risk', 'finance-high-risk', 'outbound-email', 'schema-checked-email', 'support-reply'],
  );
});

for (const { policy, results } of shipped.value.ran) {
  for (const { name, faults } of results) {
    test(`${policy}: ${name}`, () => assert.deepEqual(faults, []));
  }
}

async function runOne(policy: string, cases: string) {
  const dir = mkdtempSync(join(tmpdir(), 'zehrava-gate-cases-'));
  try {
    writeFileSync(join(dir, 'p.yaml'), `id: p\n${policy}`);
    writeFileSync(join(dir, 'p.cases.yaml'), cases);
    return await runCases(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

async function faultsOf(policy: string, cases: string): Promise<readonly string[]> {
  const run = await runOne(policy, cases);
  return 'faults' in run ? run.faults : run.value.ran.flatMap(({ results }) => results.flatMap(({ faults }) => faults));
}

const one = (rest: string) => `cases:\n  - name: a\n    input: { destination: x.y, recordCount: 1 }\n${rest}`;

test('a case that does not hold says what was wanted and what was found', async () => {
  const cases = one(`    decision: { verdict: approved, reason_code: approved_by_policy }
    audit: { events: [proposed], policy_checked: { result: approved } }
`);
  assert.deepEqual(await faultsOf('require_approval: always\n', cases), [
    '"decision.verdict" must be "approved", found "pending_approval"',
    '"decision.reason_code" must be "approved_by_policy", found "manual_review_required"',
    '"audit.events" must be ["proposed"], found ["proposed","policy_checked"]',
    '"audit.policy_checked.result" must be "approved", found "pending_approval"',
  ]);
  assert.deepEqual(await faultsOf('auto_approve_under: 1\n', cases), [
    '"audit.events" must be ["proposed"], found ["proposed","policy_checked","approved"]',
  ]);
});

test('a cases file with a fault says where it is', async () => {
  const [fault = ''] = await faultsOf('', one('    decision: { verdict: maybe, reason_code: approved_by_policy }\n'));
  assert.match(
    fault,
    /^Cannot load cases of policy "p": "cases\[0\]\.decision\.verdict" must be one of approved, .*p\.cases\.yaml:4:\d+\)$/,
  );
  const twice = one('    decision: { verdict: approved, reason_code: approved_by_policy }\n')
    .repeat(2)
    .replace(/cases:\n/g, '');
  const [again = ''] = await faultsOf('', `cases:\n${twice}`);
  assert.match(again, /a name must be given once, found "a" again/);
});
