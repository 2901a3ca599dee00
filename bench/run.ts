// `npm run bench`: governed forwarding against Gate's own ungoverned one, side by side on loopback, in interleaved runs.
// Absolute numbers of two benchmarks never compare; the ratio of one does, and CPU time per request.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { rmSync, writeFileSync, writeSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startGate } from '../demo/processes.ts';
import { run } from './load.ts';

const rounds = 9;
const roundMs = 1_000;
const warmUpMs = 2_000;
const connections = 32;
const bodyBytes = 1_024;

interface Peer {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly key: string;
}

interface Measured {
  readonly perSecond: number;
  /** Of all the process's threads; null where the machine does not tell. */
  readonly cpuMicroseconds: number | null;
}

const running: (() => Promise<unknown>)[] = [];
const dirs: string[] = [];

async function main(): Promise<void> {
  const upstream = await startPeer('upstream.ts', []);
  const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const plain = await startPeer('ungoverned.ts', [String(upstream.port)]);
  const peers: readonly Peer[] = [
    { name: 'ungoverned', key: 'none', ...plain },
    { name: 'governed, in memory', ...(await startGoverned(memory, upstream.port)) },
    { name: 'governed, on disk', ...(await startGoverned(tmpdir(), upstream.port)) },
  ];
  // The proxy alone on one core, the load and its destination on the other, where the machine lets us say so.
  const isPinned = availableParallelism() > 1 && peers.every(({ pid }) => pin(pid, 0)) && pin(process.pid, 1);
  if (isPinned) pin(upstream.pid, 1);

  for (const peer of peers) await measure(peer, warmUpMs);
  const measured = new Map<Peer, Measured[]>(peers.map((peer) => [peer, []]));
  for (let round = 0; round < rounds; round++) {
    // Every other round the other way round, so that none is always behind the same neighbour.
    for (const peer of round % 2 === 0 ? peers : peers.toReversed()) {
      measured.get(peer)?.push(await measure(peer, roundMs));
    }
  }
  print(peers, measured, isPinned);
}

function print(peers: readonly Peer[], measured: ReadonlyMap<Peer, readonly Measured[]>, isPinned: boolean): void {
  const where = isPinned ? 'the proxy alone on one core' : 'all on the same cores';
  say(
    `POST of ${bodyBytes} bytes, ${connections} kept connections, ${rounds} interleaved runs of ${roundMs} ms, ${where}`,
  );
  const [base] = peers;
  const runsOf = (peer: Peer | undefined) => (peer === undefined ? [] : (measured.get(peer) ?? []));
  for (const peer of peers) {
    const runs = runsOf(peer);
    const ratios = runs.map(({ perSecond }, round) => perSecond / (runsOf(base)[round]?.perSecond ?? NaN));
    const cpu = runs.map(({ cpuMicroseconds }) => cpuMicroseconds).filter((value) => value !== null);
    const line = [
      peer.name.padEnd(20),
      `ratio ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
      `${Math.round(median(runs.map(({ perSecond }) => perSecond)))} requests/s`,
      cpu.length === 0 ? 'CPU time unknown' : `${Math.round(median(cpu))} µs CPU per request`,
    ];
    say(line.join('  '));
  }
  say(`one write and fsync of 4 KiB: ${fsyncMs(tmpdir()).toFixed(2)} ms in ${tmpdir()}`);
}

async function measure({ pid, port, key }: Peer, forMs: number): Promise<Measured> {
  const before = cpuNanoseconds(pid);
  const { requests, seconds } = await run({ port, key, connections, bodyBytes }, forMs);
  const after = cpuNanoseconds(pid);
  const cpuMicroseconds = before === null || after === null ? null : (after - before) / 1_000 / requests;
  return { perSecond: requests / seconds, cpuMicroseconds };
}

async function startGoverned(base: string, upstreamPort: number): Promise<Omit<Peer, 'name'>> {
  const dir = mkdtempSync(join(base, 'zehrava-gate-bench-'));
  dirs.push(dir);
  mkdirSync(join(dir, 'config'));
  mkdirSync(join(dir, 'policies'));
  const line = `free.test: { destination: free.write, policy: free, records: 1, dial: "127.0.0.1:${upstreamPort}" }\n`;
  writeFileSync(join(dir, 'config', 'destinations.yaml'), line);
  writeFileSync(join(dir, 'policies', 'free.yaml'), 'id: free\nauto_approve_under: 1\n');
  const adminKey = `gate_sk_${randomBytes(24).toString('hex')}`;
  const gate = await startGate(['--port', '0', '--proxy-port', '0'], { GATE_ADMIN_KEY: adminKey }, dir);
  running.push(() => gate.stop());
  const registered = await fetch(`${gate.controlUrl}/v1/agents/register`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${adminKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'bench' }),
  });
  const { apiKey }: { apiKey: string } = JSON.parse(await registered.text());
  return { pid: gate.pid, port: gate.proxyPort, key: apiKey };
}

/** Starts a script beside this one; its first line is its port. */
async function startPeer(script: string, args: readonly string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  running.push(async () => child.stdin.end());
  const port = await firstLine(child);
  return { pid: child.pid ?? 0, port: Number(port) };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`A peer ended with ${code}`)));
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolve);
  });
}

/** All threads of a process, those to come too; false where that cannot be done. */
function pin(pid: number, core: number): boolean {
  return spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)], { stdio: 'ignore' }).status === 0;
}

/** Time on a CPU of all threads that live, in nanoseconds; null where /proc does not say. */
function cpuNanoseconds(pid: number): number | null {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return null;
  const times = readdirSync(tasks).map((task) => {
    const [time = '0'] = readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ');
    return Number(time);
  });
  return times.reduce((sum, time) => sum + time, 0);
}

function fsyncMs(dir: string): number {
  const own = mkdtempSync(join(dir, 'zehrava-gate-fsync-'));
  dirs.push(own);
  const fd = openSync(join(own, 'file'), 'w');
  const times = Array.from({ length: 50 }, () => {
    const since = performance.now();
    writeSync(fd, Buffer.alloc(4_096));
    fsyncSync(fd);
    return performance.now() - since;
  });
  closeSync(fd);
  return median(times);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  await main();
} finally {
  await Promise.all(running.map((stop) => stop()));
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
}
