import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wire } from '../support/gate.ts';
import { rawClient } from '../support/raw.ts';
import { openSite } from './site.ts';

test('H20, M22: clients that reset in the middle of a CONNECT or of a request do not end Gate’s process', async (t) => {
  const site = await openSite({ free: 'id: free\nauto_approve_under: 1\n' });
  t.after(() => site.close());
  const gate = await site.start();
  try {
    const key = await site.registerAgent(gate);
    const whole = wire({ url: 'http://free.test/v1', key, body: '{}' });
    for (const bytes of ['CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n', whole.subarray(0, -1), whole]) {
      for (let n = 0; n < 20; n++) {
        const client = rawClient(gate.proxyPort);
        client.send(bytes);
        await new Promise((resolve) => client.socket.once('connect', resolve));
        client.socket.resetAndDestroy();
      }
    }
    const client = rawClient(gate.proxyPort);
    client.send(whole);
    assert.equal((await client.answer()).status, 200);
    client.end();
    assert.equal(await gate.stop(), 0);
  } finally {
    await gate.kill();
  }
});
