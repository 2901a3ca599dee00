import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { parsed, startUpstream, type Upstream } from '../support/upstream.ts';
import { proxyAuthorization, startTestGate, type TestGate } from '../support/gate.ts';

let gate: TestGate;
let upstream: Upstream;

before(async () => {
  upstream = await startUpstream();
  const dial = `dial: "127.0.0.1:${upstream.port}"`;
  gate = await startTestGate({
    policies: { words: 'id: words\nblock_if_terms: ["sue"]\nauto_approve_under: 1\n' },
    destinations: `
pass.test: { destination: model.call, writes: pass, ${dial} }
watch.test: { destination: watched.write, policy: words, writes: observe, records: 1, ${dial} }
__default__: { reads: pass, ${dial} }
`,
  });
});
after(async () => {
  await gate.close();
  await upstream.close();
  assert.deepEqual(gate.faults, []);
});

test('a passing write is streamed, on record once, and is no intent', async () => {
  const n = upstream.requests.length;
  const answer = await gate.send({ url: 'http://pass.test/v1/chat?key=secret', body: '{"prompt":"sue"}' });
  assert.equal(answer.status, 200);
  assert.equal(answer.header('x-gate-intent-id'), undefined);
  const received = parsed(upstream.requests[n]);
  assert.equal(received.body, '{"prompt":"sue"}');
  assert.ok(received.headers.some((line) => line.toLowerCase() === 'content-length: 16'));
  const log = await gate.api('GET', '/v1/audit?type=write_passed&limit=1000');
  assert.ok(log.text.includes('/v1/chat') && !log.text.includes('secret') && log.text.includes('"bytes":16'));
  assert.deepEqual((await gate.api('GET', '/v1/intents')).body['intents'], []);
});

test('who may not come in, may not pass either', async () => {
  const n = upstream.connections;
  assert.equal((await gate.send({ url: 'http://pass.test/', body: '{}', key: null })).status, 407);
  assert.equal(upstream.connections, n);
});

test('an observed write passes, and what would have become of it is on record', async () => {
  for (const [body, would] of [
    ['{"a":"sue"}', 'would_block'],
    ['{"a":"issue"}', 'would_allow'],
  ] as const) {
    assert.equal((await gate.send({ url: 'http://watch.test/x', body })).status, 200);
    const log = await gate.api('GET', '/v1/audit?type=observed&limit=1000');
    assert.ok(log.text.includes(would), would);
  }
});

test('__default__ with reads alone lets unlisted hosts be read and not written', async () => {
  assert.equal((await gate.send({ method: 'GET', url: 'http://unlisted.test/x' })).status, 200);
  const refused = await gate.send({ url: 'http://unlisted.test/x', body: '{}' });
  assert.equal(refused.status, 403);
  assert.equal(refused.json()['reason_code'], 'destination_unknown');
});

test('a passing upload and a download of 64 MiB go through whole, in pieces', async () => {
  const piece = randomBytes(1 << 20);
  const pieces = 64;
  let uploaded = createHash('sha256');
  const server = createServer((request, response) => {
    if (request.method === 'GET') {
      response.writeHead(200);
      for (let n = 0; n < pieces; n++) response.write(piece);
      response.end();
      return;
    }
    uploaded = createHash('sha256');
    request.on('data', (chunk: Buffer) => uploaded.update(chunk));
    request.on('end', () => response.end('done'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const own = await startTestGate({
    destinations: `big.test: { destination: big.file, writes: pass, dial: "127.0.0.1:${port}" }`,
  });
  const whole = createHash('sha256');
  for (let n = 0; n < pieces; n++) whole.update(piece);
  const expected = whole.digest('hex');

  const up = own.client();
  up.send(`PUT http://big.test/up HTTP/1.1\r\nHost: big.test\r\n${proxyAuthorization(own.agentKey)}\r\n`);
  up.send(`Content-Length: ${piece.length * pieces}\r\n\r\n`);
  for (let n = 0; n < pieces; n++) {
    if (!up.socket.write(piece)) await new Promise((resolve) => up.socket.once('drain', resolve));
  }
  assert.equal((await up.answer()).status, 200);
  assert.equal(uploaded.digest('hex'), expected);

  const response = await fetchThrough(own, 'http://big.test/down');
  assert.equal(response, expected);
  await own.close();
  await new Promise((resolve) => server.close(resolve));
});

/** Reads a chunked answer as it comes and digests it. */
async function fetchThrough(own: TestGate, url: string): Promise<string> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const authorization = `Basic ${Buffer.from(`agent:${own.agentKey}`).toString('base64')}`;
    const headers = { Host: new URL(url).host, 'Proxy-Authorization': authorization };
    const outgoing = request({ host: '127.0.0.1', port: own.proxyPort, path: url, headers }, (incoming) => {
      const digest = createHash('sha256');
      incoming.on('data', (chunk: Buffer) => digest.update(chunk));
      incoming.on('end', () => resolve(digest.digest('hex')));
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
