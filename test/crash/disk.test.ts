import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import Database from 'better-sqlite3';
import { packageDir } from '../../config/load.ts';
import { rawClient } from '../support/raw.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { temporaryDir, until, wire } from '../support/gate.ts';

let base: string;
let upstream: Upstream;
const compiled = compileShim();

before(async () => {
  upstream = await startUpstream();
});
after(() => upstream.close());

interface Running {
  readonly child: ChildProcess;
  readonly dir: string;
  readonly stderr: () => string;
  /** One write; its status, or null where the connection broke off. */
  send(): Promise<number | null>;
  stop(): Promise<void>;
}

const adminKey = `gate_sk_${randomBytes(24).toString('hex')}`;
const agentKey = `gate_sk_${randomBytes(24).toString('hex')}`;

function prepare(dir: string): string {
  mkdirSync(join(dir, 'config'), { recursive: true });
  mkdirSync(join(dir, 'policies'), { recursive: true });
  const entry = `a.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${upstream.port}" }`;
  writeFileSync(join(dir, 'config', 'destinations.yaml'), entry);
  writeFileSync(join(dir, 'policies', 'free.yaml'), 'id: free\nauto_approve_under: 1\n');
  return dir;
}

function launch(dir: string, env: Record<string, string> = {}, prefix: readonly string[] = []): ChildProcess {
  const command = [
    ...prefix,
    process.execPath,
    join(packageDir, 'cli.ts'),
    'serve',
    '--port',
    '0',
    '--proxy-port',
    '0',
  ];
  const own = { PATH: process.env['PATH'], HOME: dir, GATE_ADMIN_KEY: adminKey, PROXY_API_KEY: agentKey };
  return spawn(command[0] ?? '', command.slice(1), {
    cwd: dir,
    env: { ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function start(dir: string, env: Record<string, string> = {}, prefix: readonly string[] = []): Promise<Running> {
  const child = launch(dir, env, prefix);
  let complaints = '';
  child.stderr?.on('data', (chunk) => {
    complaints += String(chunk);
  });
  const ready = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${complaints}`)));
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolve);
  });
  const port = Number(/proxy http:\S+?:(\d+);/.exec(ready)?.[1]);
  let serial = 0;
  return {
    child,
    dir,
    stderr: () => complaints,
    send: async () => {
      const client = rawClient(port);
      try {
        client.send(wire({ url: `http://a.test/${++serial}`, body: 'x'.repeat(1024), key: null }));
        return (await client.answer()).status;
      } catch {
        return null;
      } finally {
        client.end();
      }
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** Starts it where it must not start; what it said, in one sentence. */
async function refusesToStart(dir: string): Promise<string> {
  const child = launch(dir);
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += String(chunk);
  });
  await once(child, 'close');
  assert.equal(child.exitCode, 2, said);
  assert.equal(said.trim().split('\n').length, 1, said);
  return said;
}

async function withDir(body: (dir: string) => Promise<void>): Promise<void> {
  base = temporaryDir();
  try {
    await body(prepare(base));
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

test('M25: a locked database is 503 with nothing sent, and Gate goes on when it is free', () =>
  withDir(async (dir) => {
    const gate = await start(dir);
    assert.equal(await gate.send(), 200);
    const n = upstream.requests.length;
    const other = new Database(join(dir, 'data', 'gate.db'));
    other.exec('BEGIN IMMEDIATE');
    assert.equal(await gate.send(), 503);
    assert.equal(upstream.requests.length, n);
    other.exec('ROLLBACK');
    other.close();
    assert.equal(await gate.send(), 200);
    await gate.stop();
  }));

test(
  'M10: a flush that fails is 503 with nothing sent, one sentence, and the end of this Gate',
  { skip: compiled.skip },
  () =>
    withDir(async (dir) => {
      const broken = join(dir, 'broken');
      const gate = await start(dir, { LD_PRELOAD: compiled.file, DISK_BROKEN: broken });
      assert.equal(await gate.send(), 200);
      const n = upstream.requests.length;
      writeFileSync(broken, '');
      assert.equal(await gate.send(), 503);
      if (gate.child.exitCode === null) await once(gate.child, 'exit');
      assert.equal(gate.child.exitCode, 1);
      assert.match(
        gate.stderr(),
        /Cannot record any more: the database says SQLITE_IOERR\w*; nothing was sent unrecorded/,
      );
      assert.equal(upstream.requests.length, n);
      rmSync(broken);
      const again = await start(dir, { LD_PRELOAD: compiled.file, DISK_BROKEN: broken });
      assert.equal(await again.send(), 200);
      await again.stop();
    }),
);

test('a slow flush makes writes slow and loses none', { skip: compiled.skip }, () =>
  withDir(async (dir) => {
    const slow = join(dir, 'slow');
    const gate = await start(dir, { LD_PRELOAD: compiled.file, DISK_SLOW: slow });
    writeFileSync(slow, '');
    const statuses = await Promise.all(Array.from({ length: 50 }, () => gate.send()));
    assert.ok(statuses.every((status) => status === 200));
    await gate.stop();
  }),
);

test(
  'a full disk is 503 with nothing sent, and Gate goes on when there is room again',
  { skip: cannotMount() },
  async () => {
    const mount = temporaryDir();
    const script = `mount -t tmpfs -o size=6m none "${mount}" && head -c 4500000 /dev/zero > "${mount}/filler" && exec "$@"`;
    const dir = prepare(temporaryDir());
    const gate = await start(dir, { DATA_DIR: join(mount, 'data') }, ['unshare', '-m', 'bash', '-c', script, 'bash']);
    let status: number | null = 200;
    for (let n = 0; status === 200 && n < 3_000; n++) status = await gate.send();
    assert.equal(status, 503);
    const n = upstream.requests.length;
    assert.equal(await gate.send(), 503);
    assert.equal(upstream.requests.length, n);
    assert.equal(gate.child.exitCode, null, gate.stderr());
    rmSync(`/proc/${gate.child.pid}/root${mount}/filler`);
    await until(async () => (await gate.send()) === 200, 'there is room again');
    await gate.stop();
    for (const used of [mount, dir]) rmSync(used, { recursive: true, force: true });
  },
);

test('M13: a database deleted or replaced under a running Gate takes no more writes', async () => {
  for (const how of ['deleted', 'replaced'] as const) {
    await withDir(async (dir) => {
      const gate = await start(dir);
      assert.equal(await gate.send(), 200);
      const n = upstream.requests.length;
      const file = join(dir, 'data', 'gate.db');
      renameSync(file, `${file}.moved`);
      if (how === 'replaced') copyFileSync(`${file}.moved`, file);
      assert.equal(await gate.send(), 503);
      if (gate.child.exitCode === null) await once(gate.child, 'exit');
      assert.equal(gate.child.exitCode, 1);
      assert.match(gate.stderr(), /the database file was replaced or deleted/);
      assert.equal(upstream.requests.length, n);
    });
  }
});

test('L04, M13: a database that is gone, damaged or another log’s is not made anew at start', () =>
  withDir(async (dir) => {
    const gate = await start(dir);
    assert.equal(await gate.send(), 200);
    await gate.stop();
    const data = join(dir, 'data');
    const file = join(data, 'gate.db');
    const whole = readFileSync(file);

    rmSync(file);
    assert.match(await refusesToStart(dir), /there is an audit key but no database/);

    writeFileSync(file, Buffer.concat([Buffer.alloc(4096), whole.subarray(4096)]));
    assert.match(await refusesToStart(dir), /Cannot start: .*(not a database|malformed)/);

    writeFileSync(file, whole);
    const [key = ''] = readFileSync(join(data, 'audit.key'), 'utf8').split(' ');
    writeFileSync(join(data, 'audit.key'), `${key} ${'0'.repeat(32)}\n`);
    assert.match(await refusesToStart(dir), /not the log that the audit key belongs to/);
  }));

test('a second Gate on the same data directory is told the first one’s pid', () =>
  withDir(async (dir) => {
    const gate = await start(dir);
    assert.match(await refusesToStart(dir), new RegExp(`another Gate runs on it, pid ${gate.child.pid}`));
    gate.child.kill('SIGKILL');
    await once(gate.child, 'exit');
    const next = await start(dir);
    await next.stop();
  }));

function compileShim(): { readonly file: string; readonly skip: string | false } {
  const file = join(temporaryDir(), 'disk.so');
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-o', file, join(packageDir, 'test', 'support', 'disk.c'), '-ldl'], {
      stdio: 'ignore',
    });
    return { file, skip: false };
  } catch {
    return { file, skip: 'there is no C compiler to make a failing disk with' };
  }
}

function cannotMount(): string | false {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'this user may not mount a small disk to fill';
  }
}
