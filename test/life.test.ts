import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageDir } from '../config/load.ts';
import { intentStatuses } from '../core/intent.ts';
import { stateDiagram } from '../docs/diagram.ts';

const text = readFileSync(join(packageDir, 'docs', 'life-of-an-intent.md'), 'utf8');

test('the diagram in the documents is the one that the code’s own table gives', () => {
  assert.ok(text.includes(stateDiagram()));
});

test('every status is explained', () => {
  for (const status of intentStatuses) assert.ok(text.includes(`| \`${status}\` |`), status);
});
