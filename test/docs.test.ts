// The reference: every key has its section, and every example does what is said of it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { resolve, type Destinations } from '../config/destinations.ts';
import { readDestinations } from '../config/destinationsFile.ts';
import { packageDir } from '../config/load.ts';
import { schemas, schemaText } from '../config/schemas/write.ts';
import type { Loaded } from '../config/yaml.ts';
import { readCases, runCase } from '../control/policy/cases.ts';
import { readPolicy } from '../control/policy/schema.ts';
import type { Policy } from '../control/policy/policy.ts';
import { readRequest } from '../cli/requestFile.ts';

interface Block {
  readonly kind: string;
  readonly text: string;
  readonly line: number;
}

const page = (name: string) => readFileSync(join(packageDir, 'docs', 'reference', `${name}.md`), 'utf8');

function blocksOf(text: string): readonly Block[] {
  return [...text.matchAll(/^```yaml (\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
    kind: match[1] ?? '',
    text: match[2] ?? '',
    line: text.slice(0, match.index).split('\n').length,
  }));
}

function loaded<T>(result: Loaded<T>): T {
  if ('faults' in result) assert.fail(result.faults.join('\n'));
  return result.value;
}

function headings(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^#{2,4} `([^`]+)`$/gm)].map((match) => match[1] ?? ''));
}

/** The names of all keys in a schema, also of those below. */
function keysIn(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([name, value]) => {
    const own = name === 'properties' ? Object.keys(value) : [];
    return [...own, ...keysIn(value)];
  });
}

for (const [name, schema] of [
  ['policy', schemas['policy.schema.json']],
  ['destinations', schemas['destinations.schema.json']],
] as const) {
  test(`docs/reference/${name}.md has a section for every key`, () => {
    const found = headings(page(name));
    for (const key of keysIn(schema)) assert.ok(found.has(key), key);
  });
  test(`every fenced example of docs/reference/${name}.md is one that is run`, () => {
    const text = page(name);
    const fences = text.match(/^```[^\n]+$/gm) ?? [];
    assert.equal(fences.length, blocksOf(text).length);
    assert.ok(fences.length > 10);
  });
}

test('the examples of policies load, and their cases hold', async () => {
  let policy: Policy | null = null;
  for (const { kind, text, line } of blocksOf(page('policy'))) {
    const source = { what: `example in line ${line}`, file: 'policy.md', text };
    if (kind === 'policy') {
      policy = loaded(readPolicy(String(parse(text).id), source, ''));
      continue;
    }
    assert.equal(kind, 'cases');
    for (const one of loaded(readCases(source))) {
      assert.ok(policy !== null);
      const { faults } = await runCase(policy, one, () => null);
      assert.deepEqual(faults, [], `${one.name} (line ${line})`);
    }
  }
});

test('the examples of destinations load, and requests lead where they say', () => {
  let destinations: Destinations | null = null;
  for (const { kind, text, line } of blocksOf(page('destinations'))) {
    if (kind === 'destinations') {
      destinations = loaded(readDestinations({ what: `example in line ${line}`, file: 'destinations.md', text }, ''));
      continue;
    }
    assert.equal(kind, 'leads');
    for (const [request, wanted] of Object.entries(parse(text))) {
      assert.ok(destinations !== null);
      const read = readRequest(Buffer.from(`${request} HTTP/1.1\r\n\r\n`));
      if ('refused' in read) assert.fail(read.message);
      const found = resolve(destinations, read.place);
      assert.equal('refused' in found ? found.refused : found.destination, wanted, `${request} (line ${line})`);
    }
  }
});

test('the published schemas are those of the shapes that validate', () => {
  for (const [name, schema] of Object.entries(schemas)) {
    assert.equal(readFileSync(join(packageDir, 'config', 'schemas', name), 'utf8'), schemaText(schema), name);
  }
});

test('every key of the published schemas is described', () => {
  const undescribed = (schema: unknown, at: string): readonly string[] => {
    if (typeof schema !== 'object' || schema === null) return [];
    return Object.entries(schema).flatMap(([name, value]) => {
      const below = undescribed(value, `${at}/${name}`);
      if (name !== 'properties') return below;
      const missing = Object.entries(value).filter(([, key]) => !Object.hasOwn(Object(key), 'description'));
      return [...missing.map(([key]) => `${at}/${key}`), ...below];
    });
  };
  for (const name of ['policy.schema.json', 'destinations.schema.json'] as const) {
    assert.deepEqual(undescribed(schemas[name], name), []);
  }
});
