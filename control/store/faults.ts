// Which faults of the database pass, and after which nothing may be written any more.

import { statSync } from 'node:fs';

export interface WatchedFile {
  /** Throws when the file that was opened is no longer the one under its name. */
  mustBeInPlace(): void;
}

class Misplaced extends Error {}

/** A database that is deleted or replaced under a running Gate would take writes that nobody finds again. */
export function watchFile(file: string): WatchedFile {
  const opened = statSync(file).ino;
  return {
    mustBeInPlace: () => {
      if (statSync(file, { throwIfNoEntry: false })?.ino !== opened) {
        throw new Misplaced('the database file was replaced or deleted');
      }
    },
  };
}

/**
 * Null for what passes by itself: a full disk, a lock. After a failed write or flush it is not known what is on the
 * disk, and a second flush may claim success for what the first one lost: then there is a sentence, and an end.
 */
export function fatalOf(fault: unknown): string | null {
  if (fault instanceof Misplaced) return fault.message;
  const code = fault instanceof Error && 'code' in fault ? String(fault.code) : '';
  if (/^SQLITE_(IOERR|CORRUPT|NOTADB|CANTOPEN|READONLY)/.test(code)) return `the database says ${code}`;
  return null;
}
