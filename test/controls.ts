// `npm run controls`: takes every control of test/controls.json out of a copy of Gate, one at a time, and demands that
// the tests named beside it notice. `--only <id>` runs one; `--changed <base>` those whose file differs from a commit.

import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, globSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { stripTypeScriptTypes } from 'node:module';
import { parseArgs } from 'node:util';
import { temporaryDir } from './support/gate.ts';

interface Control {
  readonly id: string;
  /** Of ARCHITECTURE.md's invariants. */
  readonly invariant: string;
  readonly file: string;
  /** The text that is the control; stands in the file exactly once. */
  readonly code: string;
  /** What takes it out; default: nothing. */
  readonly instead?: string;
  /** Files, or patterns of files, of which one test at least must fail. */
  readonly tests: readonly string[];
}

type Run =
  | { readonly result: 'green' }
  /** `by`: the first test that failed. */
  | { readonly result: 'red'; readonly by: string }
  /** No test failed, but a file or its preparation: that proves nothing about the control. */
  | { readonly result: 'broken'; readonly by: string };

const root = join(import.meta.dirname, '..');
const atOnce = 2;
const testTimeoutMs = 60_000;
/** A loop of kills in each of its runs would take the whole time there is. */
const crashKills = '8';

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string', multiple: true }, changed: { type: 'string' } },
  });
  const all: readonly Control[] = JSON.parse(readFileSync(join(root, 'test', 'controls.json'), 'utf8'));
  const changed = values.changed === undefined ? null : changedSince(values.changed);
  const wanted = all.filter(
    ({ id, file }) => (values.only?.includes(id) ?? true) && (changed === null || changed.has(file)),
  );
  const twice = all.map(({ id }) => id).filter((id, at, ids) => ids.indexOf(id) !== at);
  if (twice.length > 0)
    return fail(`Cannot run the controls: each needs an id of its own, found twice: ${twice.join(', ')}`);
  if (wanted.length === 0) return say('0 controls to take out');

  const copies = Array.from({ length: Math.min(atOnce, wanted.length) }, copyTree);
  try {
    const [first = ''] = copies;
    const files = new Set(wanted.flatMap((control) => testsOf(control, first)));
    const untouched = await runTests([...files], first, atOnce);
    if (untouched.result !== 'green') return fail(`Cannot run the controls: untouched, "${untouched.by}" fails`);

    const waiting = [...wanted];
    let failures = 0;
    const worker = async (copy: string) => {
      for (let control = waiting.shift(); control !== undefined; control = waiting.shift()) {
        if (!(await isNoticed(control, copy))) failures++;
      }
    };
    await Promise.all(copies.map(worker));
    say(`${wanted.length} controls taken out, ${wanted.length - failures} noticed, ${failures} not`);
    return failures === 0 ? 0 : 1;
  } finally {
    for (const copy of copies) rmSync(dirname(copy), { recursive: true, force: true });
  }
}

async function isNoticed(control: Control, copy: string): Promise<boolean> {
  const { id, file, code, instead = '', invariant } = control;
  const since = performance.now();
  const conclude = (word: string, why: string) => {
    say(
      `${word.padEnd(9)} ${id} (${invariant}, ${file}) ${why} [${((performance.now() - since) / 1000).toFixed(1)} s]`,
    );
    return word === 'noticed';
  };
  const path = join(copy, file);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const found = text.split(code).length - 1;
  if (found !== 1) return conclude('NOT FOUND', `needed once, found ${found} times: ${JSON.stringify(code)}`);
  const without = text.replace(code, () => instead);
  if (without === text) return conclude('NO CHANGE', 'what stands instead is the control itself');
  try {
    stripTypeScriptTypes(without);
  } catch (error) {
    return conclude('BROKEN', `without it the file is no program: ${String(error)}`);
  }
  writeFileSync(path, without);
  try {
    const run = await runTests(testsOf(control, copy), copy, 1);
    if (run.result === 'red') return conclude('noticed', `by "${run.by}"`);
    if (run.result === 'broken') return conclude('BROKEN', `no test could run: "${run.by}"`);
    return conclude('SURVIVED', `no test fails without ${JSON.stringify(code)}`);
  } finally {
    writeFileSync(path, text);
  }
}

function copyTree(): string {
  const copy = join(temporaryDir(), 'tree');
  const left = new Set(['.git', 'node_modules', 'data']);
  cpSync(root, copy, { recursive: true, filter: (path) => !left.has(relative(root, path)) });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

function testsOf({ id, tests }: Control, copy: string): readonly string[] {
  return tests.flatMap((pattern) => {
    const files = globSync(pattern, { cwd: copy });
    if (files.length === 0) throw new Error(`Cannot run control "${id}": no test file matches "${pattern}"`);
    return files;
  });
}

/** Ends at the first failure: one is enough. */
async function runTests(files: readonly string[], cwd: string, concurrency: number): Promise<Run> {
  const flags = ['--test', '--test-reporter=tap', `--test-timeout=${testTimeoutMs}`];
  const child = spawn(process.execPath, [...flags, `--test-concurrency=${concurrency}`, ...files], {
    cwd,
    env: { ...process.env, GATE_CRASH_KILLS: crashKills, GATE_TEST_DIR: dirname(cwd) },
    stdio: ['ignore', 'pipe', 'ignore'],
    // A group of its own, so that the Gates it has started end with it.
    detached: true,
  });
  try {
    let failing: string | null = null;
    for await (const line of createInterface({ input: child.stdout })) {
      const [, name] = /^\s*not ok \d+ - (.*)$/.exec(line) ?? [];
      failing = name ?? failing;
      const [, type] = /^\s*failureType: '(\w+)'$/.exec(line) ?? [];
      if (failing === null || type === undefined) continue;
      const isOfTest = (type === 'testCodeFailure' || type === 'testTimeoutFailure') && !failing.endsWith('.test.ts');
      return { result: isOfTest ? 'red' : 'broken', by: failing };
    }
    return { result: 'green' };
  } finally {
    endGroup(child.pid);
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function changedSince(base: string): ReadonlySet<string> {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n');
  return new Set([...git('diff', '--name-only', base), ...git('ls-files', '--others', '--exclude-standard')]);
}

function say(line: string): 0 {
  process.stdout.write(`${line}\n`);
  return 0;
}

function fail(line: string): 1 {
  process.stderr.write(`${line}\n`);
  return 1;
}

process.exitCode = await main();
