// Writes .oxlintrc.json; `--check` only says whether it is what lint/config.ts gives.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { config } from './config.ts';

const file = join(import.meta.dirname, '..', '.oxlintrc.json');
const text = `${JSON.stringify(config, null, 2)}\n`;
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  process.stderr.write('.oxlintrc.json is not what lint/config.ts gives; run: node lint/write.ts\n');
  process.exitCode = 1;
}
