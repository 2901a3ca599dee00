import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageDir } from '../../config/load.ts';

test('the demo: judged, held, approved, forwarded once and recorded, through kill -9 between all steps', async () => {
  const { code, stdout } = await run(['demo', '--json']);
  const steps: readonly Record<string, any>[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    steps.map(({ step, ok }) => [step, ok]),
    [
      ['a mail is blocked for its words', true],
      ['a refund waits for a person', true],
      ['a person approves it', true],
      ['a changed refund is refused', true],
      ['the same refund is forwarded once, byte for byte', true],
      ['a second use is refused', true],
      ['the audit of all of it verifies', true],
    ],
  );
  const killed = steps.slice(1).map(({ killed: pid }) => pid);
  assert.equal(new Set(killed).size, 6, 'another Gate each time');
  assert.equal(steps[4]?.['upstream'].requests, 1);
  assert.equal(code, 0);
});

function run(args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [join(packageDir, 'cli.ts'), ...args], (_error, stdout) => {
      resolve({ code: child.exitCode ?? -1, stdout });
    });
  });
}
