// Reads the policy directory and destinations.yaml; every fault one sentence, and nothing half-read.

import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readPolicy } from '../control/policy/schema.ts';
import type { Policies } from '../control/policy/judge.ts';
import type { Policy } from '../control/policy/policy.ts';
import type { Destinations } from './destinations.ts';
import { readDestinations } from './destinationsFile.ts';
import type { Loaded, Source } from './yaml.ts';

export function loadPolicies(dir: string): Loaded<Policies> {
  const policies = new Map<string, Policy>();
  const faults: string[] = [];
  const names = policyFiles(dir);
  if ('faults' in names) return names;
  for (const name of names.value) {
    const id = name.replace(/\.ya?ml$/, '');
    const what = `policy "${id}"`;
    const found = readSource(dir, name, what);
    const loaded = 'faults' in found ? found : readPolicy(id, found.value, digestOf(found.value));
    if ('faults' in loaded) faults.push(...loaded.faults);
    else if (policies.has(id)) faults.push(`Cannot load ${what}: more than one file has this name (${shown(dir)})`);
    else policies.set(id, loaded.value);
  }
  return faults.length > 0 ? { faults } : { value: policies };
}

export function policyFiles(dir: string): Loaded<readonly string[]> {
  return list(dir, 'policies', (name) => !/\.cases\.ya?ml$/.test(name));
}

/** The files of cases beside the policies. */
export function caseFiles(dir: string): Loaded<readonly string[]> {
  return list(dir, 'cases', (name) => /\.cases\.ya?ml$/.test(name));
}

export const destinationsName = 'destinations.yaml';

/** No file is no destination: everything is refused. */
export function loadDestinations(dir: string): Loaded<Destinations> {
  if (existsSync(dir) && !existsSync(join(dir, destinationsName))) {
    return { value: { hosts: [], fallback: null, digest: '' } };
  }
  return reloadDestinations(dir);
}

/** As they are read anew: a file that was there and is gone is a fault, as half of any change is. */
export function reloadDestinations(dir: string): Loaded<Destinations> {
  const found = readSource(dir, destinationsName, destinationsName);
  return 'faults' in found ? found : readDestinations(found.value, digestOf(found.value));
}

export function readSource(dir: string, name: string, what: string): Loaded<Source> {
  const file = shown(join(dir, name));
  try {
    return { value: { what, file, text: readFileSync(join(dir, name), 'utf8') } };
  } catch (error) {
    return { faults: [`Cannot load ${what}: the file must be readable, found ${causeOf(error)} (${file})`] };
  }
}

/** As a person at this terminal would name it. */
export function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near || '.';
}

function list(dir: string, what: string, isWanted: (name: string) => boolean): Loaded<readonly string[]> {
  try {
    const names = readdirSync(dir).filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.') && isWanted(name));
    return { value: names.toSorted() };
  } catch (error) {
    return { faults: [`Cannot load ${what}: the directory must be readable, found ${causeOf(error)} (${shown(dir)})`] };
  }
}

function digestOf({ text }: Source): string {
  return hash('sha256', text, 'hex');
}

function causeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'string' ? (causes[code] ?? code) : 'a fault of reading it';
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'nothing',
  EISDIR: 'a directory',
  ENOTDIR: 'a file',
  EACCES: 'no permission',
  ELOOP: 'links that lead in a circle',
};
