// `serve`: starts Gate, says where it is, and stops it on a signal.

import { environment, loadConfig, type Config, type Flags } from '../config/load.ts';
import { makeSignInToken } from '../config/signIn.ts';
import { start, type RunningGate } from '../main.ts';
import { unknownHostNotes } from './unknownHosts.ts';

export async function serve(flags: Flags): Promise<void> {
  const config = loadConfig(flags, environment());
  if ('faults' in config) return fail(config.faults);
  // Everything Gate writes is its own: the database's side files too, whose modes no option sets.
  process.umask(0o077);
  const gate = await startOrFail(config);
  // Threads and locks of a start that failed half-way end with the process.
  if (gate === null) process.exit(2);
  say(readyLine(config, gate));
  if (gate.needsFirstAdmin) {
    const token = makeSignInToken(config.dataDir, Date.now());
    say(`First sign-in (good once, 15 minutes): ${urlOf(config.host, gate.port)}/dashboard#link=${token}`);
  }
  let isStopping = false;
  const stop = () => {
    if (isStopping) process.exit(1);
    isStopping = true;
    gate.close().then(
      () => process.exit(0),
      (error: unknown) => {
        report(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

async function startOrFail(config: Config): Promise<RunningGate | null> {
  try {
    const started = await start(config, {
      onFault: report,
      onFatal: stopAtOnce,
      say: warn,
      onRefused: unknownHostNotes(warn),
    });
    if (!('faults' in started)) return started;
    fail(started.faults);
  } catch (error) {
    fail([`Cannot start: ${error instanceof Error ? error.message : String(error)}`]);
  }
  return null;
}

/** Clients under way still get their 503; a supervisor starts Gate anew, which begins by looking what is true. */
function stopAtOnce(why: string): void {
  process.stderr.write(`Cannot record any more: ${why}; nothing was sent unrecorded, Gate stops\n`);
  setTimeout(() => process.exit(1), 500);
}

function readyLine(config: Config, gate: RunningGate): string {
  const shipped = [config.policyDir, config.configDir].some(({ origin }) => origin === 'shipped');
  return [
    `Zehrava Gate is ready: control ${urlOf(config.host, gate.port)}`,
    `proxy ${urlOf(config.proxyHost, gate.proxyPort)}`,
    `policies ${config.policyDir.path}${shipped ? ' (the shipped ones, read-only)' : ''}`,
    ...(gate.observed.length === 0 ? [] : [`observed, not stopped: ${gate.observed.join(', ')}`]),
    "an agent under the same user can read Gate's files and act as you",
  ].join('; ');
}

export function urlOf(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function fail(faults: readonly string[]): void {
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  process.exitCode = 2;
}

/** A fault inside Gate, for its operator: never shown to a client. */
function report(error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${new Date().toISOString()} fault: ${text}\n`);
}

/** What the operator should know while Gate runs; standard output is for the ready line. */
function warn(line: string): void {
  process.stderr.write(`${line}\n`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
