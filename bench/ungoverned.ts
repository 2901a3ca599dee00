// What forwarding alone costs: Gate's own dialler behind a plain server, without identity, policy or record.

import { randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { Header } from '../core/facts.ts';
import { createMint } from '../control/permit.ts';
import type { Answer } from '../proxy/arrival.ts';
import { createDialler } from '../proxy/forward.ts';
import { endToEnd } from '../proxy/wire/endToEnd.ts';

const [upstreamPort = '0'] = process.argv.slice(2);
const { mint, spend } = createMint();
const dialler = createDialler({
  spend,
  extraCa: [],
  ownPorts: () => [],
  connectTimeoutMs: 10_000,
  answerTimeoutMs: 300_000,
});
const endpoint = {
  scheme: 'http',
  host: 'free.test',
  port: 80,
  dial: { host: '127.0.0.1', port: Number(upstreamPort) },
  privateAddresses: 'deny',
} as const;

const server = createServer({ keepAlive: true, noDelay: true, keepAliveTimeout: 30_000 }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { pathname, search } = new URL(request.url ?? '');
    const method = request.method ?? '';
    const place = { endpoint, method, target: `${pathname}${search}`, headers: endToEnd(pairsOf(request.rawHeaders)) };
    const requestId = randomBytes(8).toString('hex');
    const permit = mint.read({ ...place, requestId, body: { kind: 'whole', content: Buffer.concat(chunks) } });
    const answer = answerTo(response);
    void dialler.forward(permit, { answer, gone: goneOf(response), annotations: [] }).then(() => answer.end());
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${address !== null && typeof address === 'object' ? address.port : 0}\n`);
});
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();

function answerTo(response: ServerResponse): Answer {
  return {
    head: (status, _phrase, headers) => void response.writeHead(status, headers.flat()),
    data: (chunk) => response.write(chunk),
    drained: () => new Promise((resolve) => void response.once('drain', resolve)),
    end: () => void response.end(),
    cut: () => void response.destroy(),
  };
}

function goneOf(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

function pairsOf(raw: readonly string[]): Header[] {
  const pairs: Header[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? '']);
  return pairs;
}
