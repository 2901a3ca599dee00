import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { packageDir } from '../../config/load.ts';
import { runCommand } from '../../demo/processes.ts';
import { temporaryDir } from '../support/gate.ts';

/** Starts Gate as a stranger would, with nothing prepared; its first two lines. */
async function firstStart(dir: string) {
  const env = { PATH: process.env['PATH'], HOME: dir };
  const args = [join(packageDir, 'cli.ts'), '--port', '0', '--proxy-port', '0'];
  const child = spawn(process.execPath, args, { cwd: dir, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === 2) break;
  }
  return {
    env,
    lines,
    stop: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
      assert.equal(child.exitCode, 0);
    },
  };
}

test('a first start prints where it is, what to beware of, and a link that gives an admin key once', async () => {
  const dir = temporaryDir();
  const gate = await firstStart(dir);
  const [ready = '', link = ''] = gate.lines;
  assert.match(ready, /ready: control (http:\S+); proxy http:/);
  assert.match(ready, /an agent under the same user can read Gate's files and act as you/);
  assert.match(ready, /shipped/);
  const [address = ''] = /http:\S+\/dashboard#link=[0-9a-f]{48}$/.exec(link) ?? [];
  const url = address.split('/dashboard')[0] ?? '';
  const cli = (...args: string[]) => runCommand(args, gate.env, dir);

  const early = await cli('agents', 'add', 'a', '--url', url);
  assert.equal(early.exitCode, 0, 'the first agent may register itself');
  const closed = await cli('agents', 'add', 'b', '--url', url);
  assert.equal(closed.exitCode, 1);
  assert.match(closed.output, /zehrava-gate agents add NAME/);

  const login = await cli('login', address);
  assert.equal(login.exitCode, 0, login.output);
  assert.ok(!/gate_sk_/.test(login.output), 'no key is printed');
  const again = await cli('login', address);
  assert.equal(again.exitCode, 1);
  assert.match(again.output, /the link is used/);
  assert.equal((await cli('agents', 'add', 'c', '--url', url)).exitCode, 0);

  const data = join(dir, 'data');
  assert.equal(statSync(data).mode & 0o777, 0o700);
  for (const file of readdirSync(data)) assert.equal(statSync(join(data, file)).mode & 0o077, 0, file);
  const kept = join(dir, '.config', 'zehrava-gate', 'keys.json');
  assert.ok(existsSync(kept) && (statSync(kept).mode & 0o077) === 0);
  const key = Object.values<string>(JSON.parse(readFileSync(kept, 'utf8')))[0] ?? '';
  for (const file of readdirSync(data)) assert.ok(!readFileSync(join(data, file)).includes(key), `no key in ${file}`);

  const another = await cli('login', '--link');
  assert.match(another.output, /\/dashboard#link=[0-9a-f]{48}$/);
  const locked = await cli('keys', 'reset-admin');
  assert.match(locked.output, /another Gate runs on it/);
  await gate.stop();
  const reset = await cli('keys', 'reset-admin');
  assert.equal(reset.exitCode, 0, reset.output);
  assert.match(reset.output, /1 admin keys ended/);
  const verified = await cli('audit', 'verify');
  assert.equal(verified.exitCode, 0, verified.output);
  rmSync(dir, { recursive: true, force: true });
});

test('configuration faults end the start with status 2, one line each, and no secret in any', async () => {
  const dir = temporaryDir();
  const secret = 'gate_sk_almost_a_key';
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    GATE_ADMIN_KEY: secret,
    PORT: 'many',
    GATE_REGISTRATION: 'maybe',
  };
  const found = await runCommand(['--host', '0.0.0.0', '--config-dir', 'nowhere'], env, dir);
  assert.equal(found.exitCode, 2);
  const lines = found.output.split('\n');
  assert.equal(lines.length, 5, found.output);
  for (const line of lines) assert.match(line, /^Cannot start: /);
  assert.ok(!found.output.includes(secret));
  const unsafe = await runCommand([], { PATH: process.env['PATH'], HOME: dir, NODE_TLS_REJECT_UNAUTHORIZED: '0' }, dir);
  assert.equal(unsafe.exitCode, 2);
  assert.match(unsafe.output, /NODE_TLS_REJECT_UNAUTHORIZED=0 turns verification off/);
  rmSync(dir, { recursive: true, force: true });
});
