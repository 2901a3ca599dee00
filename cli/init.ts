// `init`: copies of the annotated policies and configuration, to be edited.

import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { shown } from '../config/files.ts';
import { packageDir } from '../config/load.ts';

/** Writes all of the files or, where any of them is there already, none. */
export function init(dir: string | undefined): void {
  const to = resolve(dir ?? '.');
  const files = ['policies', 'config'].flatMap((folder) =>
    readdirSync(join(packageDir, folder))
      .filter((name) => /\.ya?ml$/.test(name))
      .map((name) => join(folder, name)),
  );
  const there = files.map((file) => join(to, file)).filter((file) => existsSync(file));
  if (there.length > 0) {
    const more = there.length > 1 ? ` and ${there.length - 1} more` : '';
    throw new Error(`Cannot initialise ${shown(to)}: ${shown(there[0] ?? '')}${more} must not be there, found it`);
  }
  for (const folder of ['policies', 'config']) mkdirSync(join(to, folder), { recursive: true });
  for (const file of files) copyFileSync(join(packageDir, file), join(to, file));
  process.stdout.write(
    `${files.length} files in ${shown(join(to, 'policies'))} and ${shown(join(to, 'config'))}: edit them, and start Gate beside them with zehrava-gate serve\n`,
  );
}
