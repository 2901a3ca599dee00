import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../cli/client.ts';
import { startGate } from '../../demo/processes.ts';
import { startUpstream } from '../support/upstream.ts';
import { temporaryDir, until, wire } from '../support/gate.ts';
import { rawClient, type RawClient } from '../support/raw.ts';

/** T12 asks for ten thousand: `GATE_HELD=10000`, where the machine allows a process that many files. */
const count = Number(process.env['GATE_HELD'] ?? 1_000);
/** Connections opened at a time: the machine's listen queue is not what is tested. */
const wave = 200;

test(`${count} clients held at once leave a fresh request unhindered, and are let go at stop`, async () => {
  const dir = temporaryDir();
  const upstream = await startUpstream();
  const dial = `records: 1, dial: "127.0.0.1:${upstream.port}"`;
  mkdirSync(join(dir, 'config'));
  mkdirSync(join(dir, 'policies'));
  writeFileSync(
    join(dir, 'config', 'destinations.yaml'),
    `held.test: { destination: a.b, policy: asks, hold: 600, ${dial} }
free.test: { destination: a.c, policy: free, ${dial} }`,
  );
  writeFileSync(join(dir, 'policies', 'free.yaml'), 'id: free\nauto_approve_under: 1\n');
  writeFileSync(join(dir, 'policies', 'asks.yaml'), 'id: asks\nrequire_approval: always\n');
  const key = `gate_sk_${randomBytes(24).toString('hex')}`;
  const env = { PATH: process.env['PATH'], HOME: dir, GATE_ADMIN_KEY: key };
  const gate = await startGate(['--port', '0', '--proxy-port', '0'], env, dir);
  const clients: RawClient[] = [];
  try {
    const api = connect({ url: gate.controlUrl, key });
    const agent: any = await api.post('/v1/agents/register', { name: 'many' });
    const held = async (): Promise<any[]> => ((await api.get('/v1/proxy/held')) as any).held;
    const send = (url: string, body: string) => {
      const client = rawClient(gate.proxyPort);
      clients.push(client);
      client.send(wire({ url, body, key: agent.apiKey }));
      return client;
    };
    for (let n = 0; n < count; n++) {
      send(`http://held.test/${n}`, `{"n":${n}}`);
      if (n % wave === wave - 1) await until(async () => (await held()).length === n + 1, `${n + 1} are held`);
    }
    assert.equal((await send('http://free.test/', '{}').answer()).status, 200);

    const one = (await held())[0];
    await api.post(`/v1/intents/${one.intentId}/approve`, {});
    const index = Number(new URL(one.url).pathname.slice(1));
    assert.equal((await clients[index]?.answer())?.status, 200);

    const stopped = gate.stop();
    const others = clients.slice(0, count).filter((_, n) => n !== index);
    const statuses = await Promise.all(others.map(async (client) => (await client.answer()).status));
    assert.ok(statuses.every((status) => status === 503));
    assert.equal(await stopped, 0);
    assert.equal(upstream.requests.length, 2);
  } finally {
    for (const client of clients) client.end();
    await gate.kill();
    await upstream.close();
    rmSync(dir, { recursive: true, force: true });
  }
});
