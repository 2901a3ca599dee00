// `policy check` and `policy test`: whether the files are right, and whether the policies do what their cases say.

import { runCases } from '../config/casesRun.ts';
import { caseFiles, loadPolicies, readSource, shown } from '../config/files.ts';
import { readCases } from '../control/policy/cases.ts';
import { configured, fail } from './configured.ts';
import { printable } from './terminal.ts';

export interface PolicyOptions {
  readonly policyDir?: string;
}

/** Exit status 2 where a file has a fault. */
export function checkPolicies(dir: string | undefined, options: PolicyOptions): void {
  const where = policyDir(dir, options);
  if (where === null) return;
  const policies = loadPolicies(where);
  const faults = ['faults' in policies ? policies.faults : [], caseFaults(where)].flat();
  if (faults.length > 0 || 'faults' in policies) return fail(faults);
  print(`${policies.value.size} policies in ${shown(where)} are fine`);
}

/** Exit status 1 where a case does not hold, 2 where a file has a fault. */
export async function testPolicies(dir: string | undefined, options: PolicyOptions): Promise<void> {
  const where = policyDir(dir, options);
  if (where === null) return;
  const run = await runCases(where);
  if ('faults' in run) return fail(run.faults);
  const { ran, without } = run.value;
  let held = 0;
  let broken = 0;
  for (const { policy, file, results } of ran) {
    for (const { name, faults } of results) {
      if (faults.length === 0) held++;
      else broken++;
      for (const fault of faults) print(`${policy}: ${printable(name)}: ${printable(fault)} (${file})`);
    }
  }
  for (const policy of without) print(`${policy}: no cases`);
  print(`${held} of ${held + broken} cases hold`);
  if (broken > 0) process.exitCode = 1;
}

function policyDir(dir: string | undefined, { policyDir: named }: PolicyOptions): string | null {
  return configured({ policyDir: dir ?? named })?.policyDir.path ?? null;
}

function caseFaults(dir: string): readonly string[] {
  const names = caseFiles(dir);
  if ('faults' in names) return [];
  return names.value.flatMap((name) => {
    const source = readSource(dir, name, `cases "${name}"`);
    const cases = 'faults' in source ? source : readCases(source.value);
    return 'faults' in cases ? cases.faults : [];
  });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
