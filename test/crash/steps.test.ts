import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from '../../cli/client.ts';
import { runCommand, startGate, type GateProcess } from '../../demo/processes.ts';
import { temporaryDir, until, wire } from '../support/gate.ts';
import { rawClient, type RawClient } from '../support/raw.ts';

/*
 * kill -9 at each step of record: S1 body arriving, S4 pending on record, S5 approved, S6/S7 claimed and connecting,
 * S9 request with the upstream, S10 head of the answer out, S11 body of the answer out, S12 outcome on record.
 */

let dir: string;
let gate: GateProcess;
let upstream: Server;
let behave: (socket: Socket, request: string) => void = () => undefined;
const requests: string[] = [];
const sockets = new Set<Socket>();
const adminKey = `gate_sk_${randomBytes(24).toString('hex')}`;
let agentKey = '';

before(async () => {
  dir = temporaryDir();
  upstream = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      requests.push(chunk.toString('latin1'));
      behave(socket, chunk.toString('latin1'));
    });
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const address = upstream.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  // A listener that accepts into a full queue: a connection to it never completes.
  mkdirSync(join(dir, 'config'));
  mkdirSync(join(dir, 'policies'));
  writeFileSync(
    join(dir, 'config', 'destinations.yaml'),
    `free.test: { destination: a.b, policy: free, records: 1, dial: "127.0.0.1:${port}" }
asks.test: { destination: a.c, policy: asks, records: 1, dial: "127.0.0.1:${port}" }
tls.test: { destination: a.d, policy: free, records: 1, scheme: https, dial: "127.0.0.1:${port}" }`,
  );
  writeFileSync(join(dir, 'policies', 'free.yaml'), 'id: free\nauto_approve_under: 1\n');
  writeFileSync(join(dir, 'policies', 'asks.yaml'), 'id: asks\nrequire_approval: always\n');
  await start();
  const registered: any = await api().post('/v1/agents/register', { name: 'steps' });
  agentKey = registered.apiKey;
});
after(async () => {
  await gate.stop();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => upstream.close(resolve));
  rmSync(dir, { recursive: true, force: true });
});

const env = () => ({ PATH: process.env['PATH'], HOME: dir, GATE_ADMIN_KEY: adminKey });
async function start() {
  gate = await startGate(['--port', '0', '--proxy-port', '0'], env(), dir);
}
const api = () => connect({ url: gate.controlUrl, key: adminKey });
const killAndRestart = async () => {
  await gate.kill();
  for (const socket of sockets) socket.destroy();
  await start();
};
const newest = async (): Promise<any> => ((await api().get('/v1/intents')) as any).intents[0];
const count = async (): Promise<number> => ((await api().get('/v1/intents?limit=500')) as any).intents.length;

function send(host: string, path: string, headers: readonly string[] = []): RawClient {
  const client = rawClient(gate.proxyPort);
  client.send(wire({ url: `http://${host}${path}`, headers, body: '{}', key: agentKey }));
  client.socket.on('close', () => undefined);
  return client;
}
const answerOk = (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');

test('M01: killed while the body arrives, nothing is on record and nothing was sent', async () => {
  const [before, sent] = [await count(), requests.length];
  const client = rawClient(gate.proxyPort);
  client.send(wire({ url: 'http://free.test/s1', body: 'x'.repeat(100), key: agentKey }).subarray(0, 200));
  await until(() => client.socket.bytesWritten > 100);
  await killAndRestart();
  assert.equal(await count(), before);
  assert.equal(requests.length, sent);
});

test('M02: killed when pending is on record, it is pending; killed when approved, it is approved, and goes once', async () => {
  behave = answerOk;
  const sent = requests.length;
  const pending: any = (await send('asks.test', '/s4').answer()).json();
  await killAndRestart();
  assert.equal((await newest()).status, 'pending_approval');
  await api().post(`/v1/intents/${pending.intentId}/approve`, {});
  await killAndRestart();
  assert.equal((await newest()).status, 'approved');
  assert.equal(requests.length, sent);
  assert.equal((await send('asks.test', '/s4').answer()).status, 200);
  assert.equal(requests.length, sent + 1);
  assert.equal((await send('asks.test', '/s4', [`X-Gate-Intent-Id: ${pending.intentId}`]).answer()).status, 409);
});

test('M04: killed between the claim and the first byte, it is unknown: nobody can prove that nothing left', async () => {
  // The upstream accepts the connection and never answers the TLS greeting.
  behave = () => undefined;
  const sent = requests.length;
  send('tls.test', '/s7');
  await until(async () => (await newest()).status === 'scheduled' && requests.length > sent);
  await killAndRestart();
  assert.equal((await newest()).status, 'unknown');
  assert.ok(!requests.some((request) => request.includes('/s7')));
});

const cases: readonly (readonly [step: string, answered: string])[] = [
  ['the request is with the upstream', ''],
  ['the head of the answer is out', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n'],
  ['half of the answer’s body is out', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no'],
];
for (const [index, [step, answered]] of cases.entries()) {
  test(`M05: killed when ${step}, it is unknown, was sent once, and is never sent again`, async () => {
    const path = `/s9-${index}`;
    behave = (socket) => void (answered === '' || socket.write(answered));
    const client = send('free.test', path);
    await until(() => requests.some((request) => request.includes(path)));
    if (answered.includes('200')) await until(() => client.socket.bytesRead > 0);
    await killAndRestart();
    const { status, intentId } = await newest();
    assert.equal(status, 'unknown');
    behave = answerOk;
    assert.equal((await send('free.test', path, [`X-Gate-Intent-Id: ${intentId}`]).answer()).status, 409);
    assert.equal(requests.filter((request) => request.includes(path)).length, 1);
    await api().post(`/v1/intents/${intentId}/resolve`, { outcome: 'sent', note: 'seen at the upstream' });
    assert.equal((await newest()).status, 'succeeded');
  });
}

test('killed when the outcome is on record, it stays as it was', async () => {
  behave = answerOk;
  assert.equal((await send('free.test', '/s12').answer()).status, 200);
  await until(async () => (await newest()).status === 'succeeded');
  await killAndRestart();
  assert.equal((await newest()).status, 'succeeded');
});

test('after all of it the log verifies', async () => {
  const { exitCode, output } = await runCommand(['audit', 'verify', '--data-dir', join(dir, 'data')], env(), dir);
  assert.equal(exitCode, 0, output);
});
