// Writes the JSON Schemas from the shapes that validate; `--check` only says whether the files are those.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { policyShape } from '../../control/policy/schema.ts';
import { casesShape } from '../../control/policy/cases.ts';
import { destinationsShape } from '../destinationsFile.ts';

const draft = 'https://json-schema.org/draft/2020-12/schema';

/** By file name beside this one. */
export const schemas = {
  'policy.schema.json': { title: 'A policy of Zehrava Gate', ...policyShape.schema },
  'cases.schema.json': { title: 'Cases of a policy of Zehrava Gate', ...casesShape.schema },
  'destinations.schema.json': { title: 'destinations.yaml of Zehrava Gate', ...destinationsShape.schema },
} as const;

export function schemaText(schema: object): string {
  return `${JSON.stringify({ $schema: draft, ...schema }, null, 2)}\n`;
}

if (import.meta.main) {
  for (const [name, schema] of Object.entries(schemas)) {
    const file = join(import.meta.dirname, name);
    const text = schemaText(schema);
    if (!process.argv.includes('--check')) writeFileSync(file, text);
    else if (readFileSync(file, 'utf8') !== text) {
      process.stderr.write(`Cannot vouch for ${name}: it must be what node config/schemas/write.ts writes\n`);
      process.exitCode = 1;
    }
  }
}
