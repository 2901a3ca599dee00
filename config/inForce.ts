// Policies and destinations as they are in force: watched, every change on record before it counts, faults told once.

import type { Policies } from '../control/policy/judge.ts';
import type { EventDraft } from '../core/audit.ts';
import { system } from '../core/intent.ts';
import { destinationsName, loadDestinations, loadPolicies, reloadDestinations } from './files.ts';
import type { Destinations } from './destinations.ts';
import { watch, type Watched } from './watch.ts';
import type { Loaded } from './yaml.ts';

export interface ConfigurationDirs {
  readonly policies: string;
  readonly configuration: string;
}

export interface LoadedConfiguration {
  readonly policies: Policies;
  readonly destinations: Destinations;
}

export interface InForce {
  readonly policies: () => Policies;
  readonly destinations: () => Destinations;
  /** What is wrong with the files as they are now, by part. */
  readonly parts: () => readonly { readonly name: string; readonly faults: readonly string[] }[];
  readonly stop: () => void;
}

export interface Listeners {
  /** Durable when it resolves. */
  readonly record: (events: readonly EventDraft[]) => Promise<void>;
  /** One line for the operator. */
  readonly say: (line: string) => void;
  readonly onError: (error: unknown) => void;
}

/** Everything, or every fault there is. */
export function loadConfiguration({ policies, configuration }: ConfigurationDirs): Loaded<LoadedConfiguration> {
  const loadedPolicies = loadPolicies(policies);
  const destinations = loadDestinations(configuration);
  if ('value' in loadedPolicies && 'value' in destinations) {
    return { value: { policies: loadedPolicies.value, destinations: destinations.value } };
  }
  return { faults: [loadedPolicies, destinations].flatMap((loaded) => ('faults' in loaded ? loaded.faults : [])) };
}

export function watchConfiguration(dirs: ConfigurationDirs, first: LoadedConfiguration, to: Listeners): InForce {
  const { record, say, onError } = to;
  const note = (what: string, before: Digests, after: Digests) => record([loadedEvent(what, before, after)]);
  const tell = (what: string) => (faults: readonly string[]) => {
    for (const fault of faults) say(fault);
    say(`The last good version of ${what} stays in force`);
  };
  const policies = watch({
    dir: dirs.policies,
    first: first.policies,
    load: () => loadPolicies(dirs.policies),
    digestOf: (value) => [...digestsOf(value)].map((line) => line.join(' ')).join('\n'),
    onChange: (before, after) => note('policies', digestsOf(before), digestsOf(after)),
    onFaults: tell('the policies'),
    onError,
  });
  const destinations: Watched<Destinations> = watch({
    dir: dirs.configuration,
    first: first.destinations,
    load: () => (destinations.current().digest === '' ? loadDestinations : reloadDestinations)(dirs.configuration),
    digestOf: ({ digest }) => digest,
    onChange: (before, after) => note('destinations', fileDigest(before), fileDigest(after)),
    onFaults: tell(destinationsName),
    onError,
  });
  return {
    policies: policies.current,
    destinations: destinations.current,
    parts: () => [
      { name: 'policies', faults: policies.faults() },
      { name: 'destinations', faults: destinations.faults() },
    ],
    stop: () => {
      policies.stop();
      destinations.stop();
    },
  };
}

type Digests = ReadonlyMap<string, string>;

function digestsOf(policies: Policies): Digests {
  return new Map([...policies].map(([id, { digest }]) => [id, digest]));
}

function fileDigest({ digest }: Destinations): Digests {
  return digest === '' ? new Map() : new Map([[destinationsName, digest]]);
}

/** More names than these would make one event as large as the directory. */
const maxNamed = 20;

function loadedEvent(what: string, before: Digests, after: Digests): EventDraft {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  const changed = names.filter((name) => before.get(name) !== after.get(name));
  const files = changed.slice(0, maxNamed).map((name) => ({
    name,
    before: before.get(name) ?? null,
    after: after.get(name) ?? null,
  }));
  const metadata = { what, files, more: changed.length - files.length };
  return { type: 'configuration_loaded', actor: system, intent: null, metadata };
}
