import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { wire } from '../support/gate.ts';
import { rawClient } from '../support/raw.ts';
import { allIntents, allTrails, openSite } from './site.ts';

const posts = 2_000;
const connections = 32;
const bodyBytes = 1_024;

test('2 000 POSTs of 1 KiB over 32 connections arrive byte for byte, and audit, intents and upstream agree one to one', async (t) => {
  const site = await openSite({ free: 'id: free\nauto_approve_under: 1\n' });
  t.after(() => site.close());
  const gate = await site.start();
  try {
    const key = await site.registerAgent(gate);
    const bodies = Array.from({ length: posts }, () => randomBytes(bodyBytes));
    const answered = new Map<string, string>();
    const waiting = [...bodies];
    const worker = async () => {
      const client = rawClient(gate.proxyPort);
      for (let body = waiting.pop(); body !== undefined; body = waiting.pop()) {
        client.send(wire({ url: 'http://free.test/v1/things', key, body }));
        const answer = await client.answer();
        assert.equal(answer.status, 200);
        assert.equal(answer.body, 'ok');
        answered.set(answer.header('x-gate-intent-id') ?? '', digestOf(body));
      }
      // Once the connection is done with, the last of its outcomes is on record too.
      client.socket.end();
      await client.closed();
    };
    await Promise.all(Array.from({ length: connections }, worker));

    const digests = bodies.map(digestOf).toSorted();
    const received = site.upstream.requests.map((request) =>
      digestOf(request.subarray(request.indexOf('\r\n\r\n') + 4)),
    );
    assert.deepEqual(received.toSorted(), digests, 'every body once at the upstream');

    const intents = await allIntents(site, gate);
    assert.equal(intents.length, posts);
    assert.equal(answered.size, posts);
    for (const { intentId, status, payload } of intents) {
      assert.equal(status, 'succeeded');
      assert.equal(payload.sha256, answered.get(intentId), 'the answer names the intent of the very body');
    }

    const trails = await allTrails(site, gate);
    const trail = ['proposed', 'policy_checked', 'approved', 'execution_requested', 'execution_succeeded'];
    assert.equal(trails.size, posts);
    for (const { intentId } of intents) assert.deepEqual(trails.get(intentId), trail);

    assert.equal(await gate.stop(), 0);
    const verified = await site.verifyAudit();
    assert.equal(verified.exitCode, 0, verified.output);
  } finally {
    await gate.kill();
  }
});

function digestOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}
