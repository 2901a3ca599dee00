// Runs every cases file of a policy directory against its policies.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCases, runCase, type CaseResult } from '../control/policy/cases.ts';
import { caseFiles, loadPolicies, readSource } from './files.ts';
import type { Loaded } from './yaml.ts';

export interface PolicyResults {
  readonly policy: string;
  readonly file: string;
  readonly results: readonly CaseResult[];
}

export interface CasesRun {
  readonly ran: readonly PolicyResults[];
  /** Policies without a cases file. */
  readonly without: readonly string[];
}

export async function runCases(dir: string): Promise<Loaded<CasesRun>> {
  const policies = loadPolicies(dir);
  if ('faults' in policies) return policies;
  const names = caseFiles(dir);
  if ('faults' in names) return names;
  const faults: string[] = [];
  const ran: PolicyResults[] = [];
  for (const name of names.value) {
    const id = name.replace(/\.cases\.ya?ml$/, '');
    const what = `cases of policy "${id}"`;
    const source = readSource(dir, name, what);
    const cases = 'faults' in source ? source : readCases(source.value);
    const policy = policies.value.get(id);
    if ('faults' in cases) faults.push(...cases.faults);
    else if (policy === undefined) faults.push(`Cannot run ${what}: there is no such policy beside it (${name})`);
    else {
      const results: CaseResult[] = [];
      for (const one of cases.value) results.push(await runCase(policy, one, (file) => bytesOf(join(dir, file))));
      ran.push({ policy: id, file: 'value' in source ? source.value.file : name, results });
    }
  }
  if (faults.length > 0) return { faults };
  const tested = new Set(ran.map(({ policy }) => policy));
  return { value: { ran, without: [...policies.value.keys()].filter((id) => !tested.has(id)) } };
}

function bytesOf(path: string): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
