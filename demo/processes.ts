// The demo's processes: the stand-in upstream, and Gate, which is killed and started again.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Environment } from '../config/load.ts';

const root = join(import.meta.dirname, '..');

export interface Upstream {
  readonly port: number;
  /** Every request it has received, whole, in order. */
  readonly received: readonly Buffer[];
  stop(): void;
}

export async function startUpstream(): Promise<Upstream> {
  const child = spawn(process.execPath, [join(root, 'demo', 'upstream.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const received: Buffer[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`The stand-in ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const said: { port?: number; request?: string } = JSON.parse(line);
      if (said.port !== undefined) resolve(said.port);
      if (said.request !== undefined) received.push(Buffer.from(said.request, 'base64'));
    });
  });
  return { port, received, stop: () => child.stdin.end() };
}

export interface GateProcess {
  readonly pid: number;
  readonly controlUrl: string;
  readonly proxyPort: number;
  /** kill -9, and nothing else: what Gate has not made durable by now is lost. */
  kill(): Promise<void>;
  /** SIGTERM. Resolves with the exit status. */
  stop(): Promise<number | null>;
}

export async function startGate(flags: readonly string[], env: Environment, cwd: string): Promise<GateProcess> {
  const child = spawn(process.execPath, [join(root, 'cli.ts'), 'serve', ...flags], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints += String(chunk);
  });
  const ready = await firstLine(child, () => complaints);
  const [, controlUrl = ''] = /control (http:\S+?);/.exec(ready) ?? [];
  const [, proxyPort = '0'] = /proxy http:\S+?:(\d+);/.exec(ready) ?? [];
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
    return child.exitCode;
  };
  return {
    pid: child.pid ?? 0,
    controlUrl,
    proxyPort: Number(proxyPort),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
}

function firstLine(child: ChildProcess, complaints: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`Gate ended with ${code}: ${complaints()}`)));
    if (child.stdout !== null) createInterface({ input: child.stdout }).once('line', resolve);
  });
}

/** Runs a command of Gate's to its end. */
export async function runCommand(args: readonly string[], env: Environment, cwd: string) {
  const child = spawn(process.execPath, [join(root, 'cli.ts'), ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  await once(child, 'close');
  return { exitCode: child.exitCode, output: output.trim() };
}
