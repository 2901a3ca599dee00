// Configuration that changes while Gate runs: a whole and valid version replaces the one in force, nothing else does.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Loaded } from './yaml.ts';

export interface Watched<T> {
  /** The version in force. */
  readonly current: () => T;
  /** Of the files as they were last seen; none while they are the version in force. */
  readonly faults: () => readonly string[];
  readonly stop: () => void;
}

export interface WatchOptions<T> {
  /** Where the files lie. */
  readonly dir: string;
  /** The version in force, as it was loaded from there. */
  readonly first: T;
  /** Loads all of them; anything missing or unreadable is a fault of its own, never an exception. */
  readonly load: () => Loaded<T>;
  /** Equal for versions that mean the same. */
  readonly digestOf: (value: T) => string;
  /** Puts the change on record; the new version is in force once this resolves, and not where it rejects. */
  readonly onChange: (before: T, after: T) => Promise<void>;
  /** Told once of each new set of faults. */
  readonly onFaults: (faults: readonly string[]) => void;
  /** Told when a change could not be put on record; it is tried again. */
  readonly onError: (error: unknown) => void;
}

/** Between two looks. Looks cost a stat per file; notifications of the system miss mounts, links and renames. */
const lookEveryMs = 250;
/** Files that are never still this many looks in a row, ten seconds, are a fault: nobody can say what they hold. */
const mostRestless = 40;

/**
 * A change counts once two looks in a row find the files untouched: an editor that empties, writes and renames, or a
 * copy under way, is waited for. Half a policy can be a valid one that allows more.
 */
export function watch<T>(options: WatchOptions<T>): Watched<T> {
  const { dir, load, digestOf } = options;
  let current = options.first;
  let faults: readonly string[] = [];
  // The first look reads all again: what changed between loading and watching is a change too.
  let settled: string | null = null;
  let before: string | null = null;
  let restless = 0;
  let isTaking = false;

  const look = () => {
    if (isTaking) return;
    const now = signature(dir);
    const isStill = now === before;
    before = now;
    if (now === settled) restless = 0;
    else if (isStill) void take(now);
    else if (++restless === mostRestless) alarm([`Cannot load ${dir}: its files must be still for a moment`]);
  };

  async function take(at: string): Promise<void> {
    isTaking = true;
    try {
      const loaded = load();
      // Touched while it was read: what was read may be of two versions.
      if (signature(dir) !== at) return;
      await settle(loaded);
      settled = at;
      restless = 0;
    } catch (error) {
      options.onError(error);
    } finally {
      isTaking = false;
    }
  }

  async function settle(loaded: Loaded<T>): Promise<void> {
    if ('faults' in loaded) return alarm(loaded.faults);
    if (digestOf(loaded.value) !== digestOf(current)) await options.onChange(current, loaded.value);
    current = loaded.value;
    faults = [];
  }

  function alarm(found: readonly string[]): void {
    if (faults.join('\n') !== found.join('\n')) options.onFaults(found);
    faults = found;
  }

  const timer = setInterval(look, lookEveryMs);
  timer.unref();
  return { current: () => current, faults: () => faults, stop: () => clearInterval(timer) };
}

/** Changes whenever a file does: a write moves its change time, a rename its inode, neither of which tools set back. */
function signature(dir: string): string {
  try {
    return readdirSync(dir)
      .toSorted()
      .map((name) => `${name} ${fileSignature(join(dir, name))}`)
      .join('\n');
  } catch (error) {
    return `unreadable: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function fileSignature(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'gone' : `${stat.dev} ${stat.ino} ${stat.mode} ${stat.size} ${stat.ctimeNs}`;
}
