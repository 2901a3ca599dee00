import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { OpenAI } from 'openai';
import { Stripe } from 'stripe';
import { pairsOf } from '../../proxy/doors/http.ts';
import { startUpstream } from '../support/upstream.ts';
import { proxyAuthorization, startTestGate } from '../support/gate.ts';

interface Tried {
  readonly method: string;
  readonly path: string;
  readonly lines: readonly string[];
  readonly body: string;
}

/** Provokes a real SDK's own retries, and writes down what each try sent. */
async function triesOf(call: (port: number) => Promise<unknown>): Promise<readonly Tried[]> {
  const tries: Tried[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const lines = pairsOf(request.rawHeaders)
        .filter(([name]) => !/^(host|connection|content-length|transfer-encoding)$/i.test(name))
        .map(([name, value]) => `${name}: ${value}`);
      const body = Buffer.concat(chunks).toString('latin1');
      tries.push({ method: request.method ?? '', path: request.url ?? '', lines, body });
      response.writeHead(503, { 'Content-Type': 'application/json', 'Retry-After': '0' });
      response.end('{"error":{"message":"later"}}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await call((server.address() as AddressInfo).port).catch(() => undefined);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return tries;
}

/** Sends what was written down through Gate: how many cards that makes, and what leaves when the first is approved. */
async function cardsOf(tries: readonly Tried[]) {
  const upstream = await startUpstream();
  const gate = await startTestGate({
    policies: { asks: 'id: asks\nrequire_approval: always\n' },
    destinations: `api.test: { destination: a.b, policy: asks, records: 1, dial: "127.0.0.1:${upstream.port}" }`,
  });
  const send = ({ method, path, lines, body }: Tried) => {
    const own = lines.filter((line) => !/^proxy-/i.test(line));
    return gate.send({
      method,
      url: `http://api.test${path}`,
      headers: [...own, proxyAuthorization(gate.agentKey)],
      body,
      key: null,
    });
  };
  const ids = [];
  for (const one of tries) ids.push((await send(one)).json()['intentId']);
  await gate.approve(String(ids[0]));
  const last = tries.at(-1);
  const status = last === undefined ? 0 : (await send(last)).status;
  const sent = upstream.requests.length;
  await gate.close();
  await upstream.close();
  return { cards: new Set(ids).size, status, sent };
}

test('stripe-node’s second and third try are the request that waits for a person, and the approved one goes once', async () => {
  const tries = await triesOf((port) => {
    const stripe = new Stripe('sk_test_x', { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 2 });
    return stripe.refunds.create({ charge: 'ch_1', amount: 5000 });
  });
  assert.equal(tries.length, 3);
  const keys = tries.map(({ lines }) => lines.find((line) => /^idempotency-key:/i.test(line)));
  assert.equal(new Set(keys).size, 1, 'one key for all tries');
  assert.deepEqual(await cardsOf(tries), { cards: 1, status: 200, sent: 1 });
});

test('two calls of stripe-node differ in their Idempotency-Key, and are one card all the same', async () => {
  const tries = await triesOf(async (port) => {
    for (let n = 0; n < 2; n++) {
      const stripe = new Stripe('sk_test_x', { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0 });
      await stripe.refunds.create({ charge: 'ch_1', amount: 5000 }).catch(() => undefined);
    }
  });
  assert.equal(tries.length, 2);
  const keys = tries.map(({ lines }) => lines.find((line) => /^idempotency-key:/i.test(line)) ?? String(Math.random()));
  assert.equal(new Set(keys).size, 2);
  assert.deepEqual(await cardsOf(tries), { cards: 1, status: 200, sent: 1 });
});

test('openai’s second and third try are the request that waits for a person', async () => {
  const tries = await triesOf((port) => {
    const openai = new OpenAI({ apiKey: 'sk-x', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 2 });
    return openai.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: 'hi' }] });
  });
  assert.equal(tries.length, 3);
  const counts = tries.map(({ lines }) => lines.find((line) => /^x-stainless-retry-count:/i.test(line)));
  assert.equal(new Set(counts).size, 3, 'what changes is on the list of what may');
  assert.deepEqual(await cardsOf(tries), { cards: 1, status: 200, sent: 1 });
});

const python = process.env['GATE_TEST_PYTHON'] ?? 'python3';
const boto = `
import os, boto3, botocore.config
config = botocore.config.Config(retries={"total_max_attempts": 3, "mode": "standard"}, connect_timeout=5, read_timeout=5)
client = boto3.client("secretsmanager", endpoint_url=os.environ["URL"], region_name="us-east-1", config=config,
                      aws_access_key_id="x", aws_secret_access_key="y")
client.put_secret_value(SecretId="s", SecretString="v")
`;

test(
  'boto3 signs each try anew: each is its own card, which is why its calls are held',
  { skip: missing('boto3') },
  async () => {
    const tries = await triesOf(
      (port) =>
        new Promise((resolve) => {
          execFile(
            python,
            ['-c', boto],
            { env: { PATH: process.env['PATH'], URL: `http://127.0.0.1:${port}` } },
            resolve,
          );
        }),
    );
    assert.equal(tries.length, 3);
    const stable = tries.map(({ lines, body }) =>
      [body, ...lines.filter((line) => !/^(amz-sdk-|x-amz-date|authorization|user-agent)/i.test(line))].join('\n'),
    );
    assert.equal(new Set(stable).size, 1, 'nothing else differs');
    const { cards } = await cardsOf(tries);
    assert.ok(cards >= 1 && cards <= 3);
  },
);

function missing(library: string): string | false {
  try {
    execFileSync(python, ['-c', `import ${library}`], { stdio: 'ignore' });
    return false;
  } catch {
    return `the Python library "${library}" is not installed for ${python}`;
  }
}
