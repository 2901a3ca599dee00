import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../cli/client.ts';
import { runCommand, startGate, type GateProcess } from '../../demo/processes.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { temporaryDir, until } from '../support/gate.ts';

/** Scripts that know nothing of Gate: they read a proxy from the environment, as their libraries do. */
const python = `
import json, os, requests
key, patience = os.environ["KEY"], float(os.environ["PATIENCE"])
try:
    answer = requests.post("http://api.stripe.com/v1/refunds", json={"charge": "ch_1", "amount": 5000},
                           headers={"Idempotency-Key": key}, timeout=patience)
    print(json.dumps({"status": answer.status_code, "body": answer.text}))
except requests.exceptions.RequestException as error:
    print(json.dumps({"gaveUp": type(error).__name__}))
`;
const node = `
const { KEY, PATIENCE } = process.env;
try {
  const answer = await fetch('http://api.stripe.com/v1/refunds', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': KEY },
    body: JSON.stringify({ charge: 'ch_1', amount: 5000 }),
    signal: AbortSignal.timeout(Number(PATIENCE) * 1000),
  });
  console.log(JSON.stringify({ status: answer.status, body: await answer.text() }));
} catch (error) {
  console.log(JSON.stringify({ gaveUp: error.name }));
}
`;
const interpreter = process.env['GATE_TEST_PYTHON'] ?? 'python3';

const clients = [
  { name: 'Python requests', command: [interpreter, '-c', python], missing: missingRequests() },
  { name: 'Node fetch', command: [process.execPath, '--input-type=module', '-e', node], missing: false },
] as const;

for (const { name, command, missing } of clients) {
  test(
    `${name}: held, approved on the terminal, answered; given up and called anew; and with Gate killed in between`,
    { skip: missing },
    async () => {
      const scene = await openScene(command);
      try {
        await heldAndApproved(scene);
        await givenUpAndCalledAnew(scene);
        await killedInBetween(scene);
      } finally {
        await scene.close();
      }
    },
  );
}

interface Scene {
  readonly upstream: Upstream;
  /** Runs the client to its end. */
  call(key: string, patienceSeconds: number): Promise<{ status?: number; body?: string; gaveUp?: string }>;
  /** The newest card, and how many there are. */
  cards(): Promise<{ readonly newest: string; readonly count: number }>;
  held(): Promise<number>;
  approveOnTerminal(intent: string): Promise<void>;
  killAndRestart(): Promise<void>;
  close(): Promise<void>;
}

async function heldAndApproved(scene: Scene) {
  const calling = scene.call('first', 30);
  await until(async () => (await scene.held()) === 1, 'the call is held');
  await scene.approveOnTerminal((await scene.cards()).newest);
  assert.deepEqual(await calling, { status: 200, body: 'ok' });
  assert.equal(scene.upstream.requests.length, 1);
  assert.equal((await scene.cards()).count, 1);
}

async function givenUpAndCalledAnew(scene: Scene) {
  assert.ok((await scene.call('second', 0.5)).gaveUp !== undefined);
  await until(async () => (await scene.held()) === 0, 'the client is gone');
  const again = scene.call('third', 30);
  await until(async () => (await scene.held()) === 1, 'the second call is held');
  await scene.approveOnTerminal((await scene.cards()).newest);
  assert.deepEqual(await again, { status: 200, body: 'ok' });
  assert.equal(scene.upstream.requests.length, 2);
  assert.equal((await scene.cards()).count, 2);
  assert.match(scene.upstream.requests[1]?.toString('latin1') ?? '', /idempotency-key: second\r\n/i);
}

async function killedInBetween(scene: Scene) {
  const calling = scene.call('fourth', 30);
  await until(async () => (await scene.held()) === 1, 'the call is held');
  await scene.killAndRestart();
  assert.ok((await calling).gaveUp !== undefined);
  await scene.approveOnTerminal((await scene.cards()).newest);
  assert.equal(scene.upstream.requests.length, 2, 'nobody is there to receive the answer');
  assert.deepEqual(await scene.call('fifth', 30), { status: 200, body: 'ok' });
  assert.equal(scene.upstream.requests.length, 3);
  assert.equal((await scene.cards()).count, 3);
}

async function openScene(command: readonly string[]): Promise<Scene> {
  const dir = temporaryDir();
  const upstream = await startUpstream();
  mkdirSync(join(dir, 'config'));
  const entry = `{ destination: stripe.refund, policy: finance-high-risk, hold: 60, dial: "127.0.0.1:${upstream.port}" }`;
  writeFileSync(join(dir, 'config', 'destinations.yaml'), `api.stripe.com: ${entry}\n`);
  const GATE_ADMIN_KEY = `gate_sk_${randomBytes(24).toString('hex')}`;
  const env = { PATH: process.env['PATH'], HOME: dir, GATE_ADMIN_KEY };
  const start = (): Promise<GateProcess> => startGate(['--port', '0', '--proxy-port', '0'], env, dir);
  let gate = await start();
  const api = () => connect({ url: gate.controlUrl, key: GATE_ADMIN_KEY });
  const agent: any = await api().post('/v1/agents/register', { name: 'script' });
  return {
    upstream,
    call: (key, patienceSeconds) => {
      const proxy = `http://agent:${agent.apiKey}@127.0.0.1:${gate.proxyPort}`;
      const own = { PATH: process.env['PATH'], http_proxy: proxy, HTTP_PROXY: proxy, NODE_USE_ENV_PROXY: '1' };
      return run(command, { ...own, KEY: key, PATIENCE: String(patienceSeconds) });
    },
    cards: async () => {
      const { intents }: any = await api().get('/v1/intents');
      return { newest: intents[0].intentId, count: intents.length };
    },
    held: async () => ((await api().get('/v1/proxy/held')) as any).held.length,
    approveOnTerminal: async (intent) => {
      const args = ['intents', 'approve', intent, '--url', gate.controlUrl];
      const { exitCode, output } = await runCommand(args, env, dir);
      assert.equal(exitCode, 0, output);
    },
    killAndRestart: async () => {
      await gate.kill();
      gate = await start();
    },
    close: async () => {
      await gate.stop();
      await upstream.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function run(command: readonly string[], env: Record<string, string | undefined>): Promise<Record<string, never>> {
  const [file = '', ...args] = command;
  return new Promise((resolve, reject) => {
    execFile(file, args, { env }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout));
      else reject(new Error(stderr));
    });
  });
}

function missingRequests(): string | false {
  try {
    execFileSync(interpreter, ['-c', 'import requests'], { stdio: 'ignore' });
    return false;
  } catch {
    return `the Python library "requests" is not installed for ${interpreter}`;
  }
}
