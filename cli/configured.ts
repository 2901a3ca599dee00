// The configuration for a command that only reads it, or the faults for the person at the terminal and exit status 2.

import { environment, loadConfig, type Config, type Flags } from '../config/load.ts';

export function configured(flags: Flags): Config | null {
  const config = loadConfig(flags, environment());
  if (!('faults' in config)) return config;
  fail(config.faults);
  return null;
}

/** One line each; the files or flags are wrong, not what was asked about them. */
export function fail(faults: readonly string[]): void {
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  process.exitCode = 2;
}
