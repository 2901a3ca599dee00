// Configuration that changes while Gate runs: a whole and valid version replaces the one in force, nothing else does.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Loaded } from './yaml.ts';

export interface Watched<T> {
  /** The version in force. */
  current(): T;
  /** Of the files as they were last seen; none while they are the version in force. */
  faults(): readonly string[];
  stop(): void;
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

/**
 * A change counts once two looks in a row find the same files with the same content: an editor that empties, writes and
 * renames, or a copy under way, is waited for. Half a policy can be a valid one that allows more.
 */
export function watch<T>(options: WatchOptions<T>): Watched<T> {
  const { dir, load, digestOf } = options;
  let current = options.first;
  let faults: readonly string[] = [];
  // The first look reads all again: what changed between loading and watching is a change too.
  let settled: string | null = null;
  let candidate: string | null = null;
  let isTaking = false;

  const look = () => {
    if (isTaking) return;
    const before = signature(dir);
    if (before === settled) return;
    const loaded = load();
    // Changed while it was read: what was read may be of two versions.
    if (signature(dir) !== before) return;
    const content = 'faults' in loaded ? loaded.faults.join('\n') : digestOf(loaded.value);
    const isSteady = candidate === content;
    candidate = content;
    if (isSteady) void settle(loaded, before);
  };

  async function settle(loaded: Loaded<T>, at: string): Promise<void> {
    isTaking = true;
    try {
      if ('faults' in loaded) {
        if (faults.join('\n') !== loaded.faults.join('\n')) options.onFaults(loaded.faults);
        faults = loaded.faults;
      } else {
        if (digestOf(loaded.value) !== digestOf(current)) await options.onChange(current, loaded.value);
        current = loaded.value;
        faults = [];
      }
      settled = at;
      candidate = null;
    } catch (error) {
      options.onError(error);
    } finally {
      isTaking = false;
    }
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
