// Whether an error is the command parser's way to end: help shown, or a usage fault it has already printed.

import { CommanderError } from 'commander';

export function isStopped(error: unknown): error is CommanderError {
  return error instanceof CommanderError;
}
