// `demo`: the walking skeleton, with real processes and kill -9 between all steps; exit status 0 only if all hold.

import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment, packageDir, type Environment } from '../config/load.ts';
import { connect } from '../cli/client.ts';
import { sendThroughProxy, type Answered, type Sent } from './agent.ts';
import { runCommand, startGate, startUpstream, type GateProcess, type Upstream } from './processes.ts';

interface StepResult {
  readonly step: string;
  readonly ok: boolean;
  readonly [detail: string]: unknown;
}

export async function demo(options: { readonly json?: boolean }): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'zehrava-gate-demo-'));
  const upstream = await startUpstream();
  let allOk = true;
  try {
    for await (const result of steps(dir, upstream)) {
      allOk &&= result.ok;
      process.stdout.write(options.json === true ? `${JSON.stringify(result)}\n` : humanLine(result));
    }
  } finally {
    upstream.stop();
    rmSync(dir, { recursive: true, force: true });
  }
  if (!allOk) process.exitCode = 1;
}

const refund: Sent = {
  method: 'POST',
  url: 'http://api.stripe.com/v1/refunds',
  headers: { 'Content-Type': 'application/json', 'X-Client-Case': 'Kept As Sent' },
  body: '{"charge":"ch_demo","amount":5000}',
};
const mail: Sent = {
  method: 'POST',
  url: 'http://api.sendgrid.com/v3/mail/send',
  headers: { 'Content-Type': 'application/json' },
  body: '{"to":"user@example.com","body":"Refund guaranteed within 24h"}',
};

async function* steps(dir: string, upstream: Upstream): AsyncGenerator<StepResult> {
  const env = prepare(dir, upstream.port);
  const flags = ['--port', '0', '--proxy-port', '0', '--policy-dir', join(packageDir, 'policies')];
  let gate = await startGate(flags, env, dir);
  const key = await register(gate, env);
  /** Gate dies between all steps, and goes on from what it had made durable. */
  const killAndRestart = async (): Promise<number> => {
    const killed = gate.pid;
    await gate.kill();
    gate = await startGate(flags, env, dir);
    return killed;
  };
  const send = async (sent: Sent) => describe(sent, await sendThroughProxy(gate.proxyPort, key, sent), upstream);
  try {
    const blocked = await send(mail);
    const reason = 'Payload contains blocked term: "refund guaranteed"';
    yield {
      step: 'a mail is blocked for its words',
      ok: blocked.status === 403 && blocked.body['blockReason'] === reason && blocked.seen === 0,
      ...blocked.shown,
    };

    let killed = await killAndRestart();
    const pending = await send(refund);
    const intent = String(pending.body['intentId']);
    yield {
      step: 'a refund waits for a person',
      ok: pending.status === 202 && pending.body['status'] === 'pending_approval' && pending.seen === 0,
      killed,
      ...pending.shown,
    };

    killed = await killAndRestart();
    const approval = await client(gate, env).post(`/v1/intents/${intent}/approve`, { reason: 'looks right' });
    yield { step: 'a person approves it', ok: statusOf(approval) === 'approved', killed, answered: approval };

    killed = await killAndRestart();
    const named = { ...refund, headers: { ...refund.headers, 'X-Gate-Intent-Id': intent } };
    const changed = await send({ ...named, body: refund.body.replace('5000', '9000') });
    yield {
      step: 'a changed refund is refused',
      ok: changed.status === 409 && changed.body['reason_code'] === 'request_mismatch' && changed.seen === 0,
      killed,
      ...changed.shown,
    };

    killed = await killAndRestart();
    const forwarded = await send(named);
    yield {
      step: 'the same refund is forwarded once, byte for byte',
      ok: forwarded.status === 200 && forwarded.seen === 1 && isTheRefund(upstream.received[0]),
      killed,
      ...forwarded.shown,
    };

    killed = await killAndRestart();
    const again = await send(named);
    yield {
      step: 'a second use is refused',
      ok: again.status === 409 && again.body['reason_code'] === 'already_used' && again.seen === 1,
      killed,
      ...again.shown,
    };

    killed = await killAndRestart();
    const verified = await runCommand(['audit', 'verify', '--data-dir', join(dir, 'data')], env, dir);
    yield { step: 'the audit of all of it verifies', ok: verified.exitCode === 0, killed, answered: verified.output };
  } finally {
    await gate.stop();
  }
}

/** A directory of its own: destinations that lead to the stand-in, and an admin's key that only this run knows. */
function prepare(dir: string, upstreamPort: number): Environment {
  mkdirSync(join(dir, 'config'));
  writeFileSync(
    join(dir, 'config', 'destinations.yaml'),
    `api.stripe.com:
  destination: stripe.other
  policy: finance-high-risk
  records: 1
  dial: 127.0.0.1:${upstreamPort}
  paths:
    /v1/refunds: { destination: stripe.refund }
api.sendgrid.com:
  destination: sendgrid.send
  policy: outbound-email
  records: 1
  dial: 127.0.0.1:${upstreamPort}
`,
  );
  const { PATH, HOME } = environment();
  return { PATH, HOME, GATE_ADMIN_KEY: `gate_sk_${randomBytes(24).toString('hex')}` };
}

function client(gate: GateProcess, env: Environment) {
  return connect({ url: gate.controlUrl, key: env['GATE_ADMIN_KEY'] ?? '' });
}

async function register(gate: GateProcess, env: Environment): Promise<string> {
  const answer = await client(gate, env).post('/v1/agents/register', { name: 'demo-agent' });
  if (typeof answer === 'object' && answer !== null && 'apiKey' in answer) return String(answer.apiKey);
  throw new Error('Gate gave the demo agent no key');
}

function describe(sent: Sent, answered: Answered, upstream: Upstream) {
  const body: Record<string, unknown> = JSON.parse(answered.body);
  const seen = upstream.received.length;
  const last = seen === 0 ? null : (upstream.received[seen - 1]?.toString('latin1') ?? null);
  const shown = { sent, answered: { status: answered.status, body }, upstream: { requests: seen, last } };
  return { status: answered.status, body, seen, shown };
}

/** Request line, the client's own header line and the body, as the upstream received them. */
function isTheRefund(received: Buffer | undefined): boolean {
  const text = received?.toString('latin1') ?? '';
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const lines = head.split('\r\n');
  const hasGateHeader = lines.some((line) => /^(x-gate|proxy-)/i.test(line));
  const keeps = lines[0] === 'POST /v1/refunds HTTP/1.1' && lines.includes('X-Client-Case: Kept As Sent');
  return keeps && !hasGateHeader && body === refund.body;
}

function statusOf(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'status' in answer ? answer.status : null;
}

function humanLine({ step, ok, killed }: StepResult): string {
  const before =
    killed === undefined
      ? ''
      : `  (Gate, pid ${typeof killed === 'number' ? killed : 0}, was killed with -9 before this)`;
  return `${ok ? 'ok  ' : 'FAIL'}  ${step}${before}\n`;
}
