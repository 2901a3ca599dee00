// A new version counts once it is on record, and what is on record stays within bounds.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { loadConfiguration, watchConfiguration } from '../../config/inForce.ts';
import type { EventDraft } from '../../core/audit.ts';
import { temporaryDir, until } from '../support/gate.ts';

function open(t: TestContext, record: (events: readonly EventDraft[]) => Promise<void>) {
  const dir = temporaryDir();
  const dirs = { policies: join(dir, 'policies'), configuration: join(dir, 'config') };
  for (const folder of [dirs.policies, dirs.configuration]) mkdirSync(folder);
  const write = (id: string, text = '') => writeFileSync(join(dirs.policies, `${id}.yaml`), `id: ${id}\n${text}`);
  write('first');
  const loaded = loadConfiguration(dirs);
  if ('faults' in loaded) throw new Error(loaded.faults.join('\n'));
  const errors: unknown[] = [];
  const listeners = { record, say: () => undefined, onError: (error: unknown) => void errors.push(error) };
  const inForce = watchConfiguration(dirs, loaded.value, listeners);
  t.after(() => {
    inForce.stop();
    rmSync(dir, { recursive: true });
  });
  return { inForce, write, errors };
}

test('a change that cannot be put on record is not in force, and is tried again', async (t) => {
  let isWritable = false;
  const { inForce, write, errors } = open(t, async () => {
    if (!isWritable) throw new Error('the disk is full');
  });
  write('second');
  await until(() => errors.length > 1, 'the second try');
  assert.equal(inForce.policies().has('second'), false);
  isWritable = true;
  await until(() => inForce.policies().has('second'), 'the change');
});

test('a change of very many files is one event of bounded size', async (t) => {
  const events: EventDraft[] = [];
  const { inForce, write } = open(t, async (drafts) => void events.push(...drafts));
  for (let count = 0; count < 30; count++) write(`p${count}`);
  await until(() => inForce.policies().size === 31, 'the change');
  assert.equal(events.length, 1);
  const { files, more } = events[0]?.metadata ?? {};
  assert.ok(Array.isArray(files));
  assert.equal(files.length, 20);
  assert.equal(more, 10);
});
