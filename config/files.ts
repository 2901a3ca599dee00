// Reads the policy directory and destinations.yaml; every fault one sentence, and nothing half-read.

import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readPolicy } from '../control/policy/schema.ts';
import type { Policies } from '../control/policy/judge.ts';
import type { Policy } from '../control/policy/policy.ts';
import type { Destinations } from './destinations.ts';
import { readDestinations } from './destinationsFile.ts';
import type { Loaded } from './yaml.ts';

export function loadPolicies(dir: string): Loaded<Policies> {
  const policies = new Map<string, Policy>();
  const faults: string[] = [];
  for (const name of policyFiles(dir)) {
    const id = name.replace(/\.ya?ml$/, '');
    const { text, file, digest } = read(dir, name);
    const loaded = readPolicy(id, { what: `policy "${id}"`, file, text }, digest);
    if ('faults' in loaded) faults.push(...loaded.faults);
    else policies.set(id, loaded.value);
  }
  return faults.length > 0 ? { faults } : { value: policies };
}

export function policyFiles(dir: string): readonly string[] {
  return readdirSync(dir)
    .filter((name) => /\.ya?ml$/.test(name) && !/\.cases\.ya?ml$/.test(name) && !name.startsWith('.'))
    .toSorted();
}

/** No file is no destination: everything is refused. */
export function loadDestinations(dir: string): Loaded<Destinations> {
  const name = 'destinations.yaml';
  if (!existsSync(join(dir, name))) return { value: { hosts: [], fallback: null, digest: '' } };
  const { text, file, digest } = read(dir, name);
  return readDestinations({ what: name, file, text }, digest);
}

function read(dir: string, name: string) {
  const path = join(dir, name);
  const text = readFileSync(path, 'utf8');
  const shown = relative(process.cwd(), path);
  return { text, file: shown.startsWith('..') ? path : shown, digest: hash('sha256', text, 'hex') };
}
