// Pairs of requests through a whole Gate: the dressed-up one is refused and never seen, its clean twin arrives as sent.

import assert from 'node:assert/strict';
import type { RawAnswer } from '../support/raw.ts';
import { startTestGate, wire, type ProxyRequest, type TestGate } from '../support/gate.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

export interface Sent {
  readonly body: string | Uint8Array;
  readonly type?: string;
  readonly encoding?: string;
  readonly method?: string;
  readonly target?: string;
  readonly headers?: readonly string[];
}

export interface Site {
  readonly gate: TestGate;
  readonly upstream: Upstream;
  /** Refused with this reason, and nothing reached the upstream. */
  refused(host: string, sent: Sent, reason: string, what?: string): Promise<RawAnswer>;
  /** Forwarded, and the upstream has the very bytes of target and body. */
  arrives(host: string, sent: Sent, what?: string): Promise<void>;
  close(): Promise<void>;
}

/** `entry`: further keys of a host's line. */
export interface HostLine {
  readonly policy: string;
  readonly entry?: string;
}

export async function openSite(hosts: Readonly<Record<string, HostLine>>): Promise<Site> {
  const upstream = await startUpstream();
  const names = Object.keys(hosts);
  const gate = await startTestGate({
    policies: Object.fromEntries(names.map((name) => [name, `id: ${name}\n${hosts[name]?.policy ?? ''}`])),
    destinations: names
      .map((name) => {
        const more = hosts[name]?.entry ?? '';
        return `${name}.test: { destination: ${name}.write, policy: ${name}, records: 1, ${more} dial: "127.0.0.1:${upstream.port}" }\n`;
      })
      .join(''),
  });
  // A token of its own for each: no request is taken for an earlier one that is like it.
  let count = 0;
  const requestOf = (
    host: string,
    { body, type, encoding, method, target = '/x', headers = [] }: Sent,
  ): ProxyRequest => ({
    url: `http://${host}.test${target}`,
    body,
    ...(method === undefined ? {} : { method }),
    headers: [
      `X-Gate-Distinct: ${++count}`,
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      ...(encoding === undefined ? [] : [`Content-Encoding: ${encoding}`]),
      ...headers,
    ],
  });
  const send = async (host: string, sent: Sent): Promise<RawAnswer> => {
    const client = gate.client();
    client.send(rawWire(requestOf(host, sent), gate.agentKey));
    try {
      return await client.answer();
    } finally {
      client.end();
    }
  };
  return {
    gate,
    upstream,
    refused: async (host, sent, reason, what = reason) => {
      const n = upstream.requests.length;
      const answer = await send(host, sent);
      assert.equal(`${answer.status} ${String(answer.json()['reason_code'])}`, `403 ${reason}`, what);
      assert.equal(answer.json()['status'], 'blocked', what);
      assert.equal(upstream.requests.length, n, what);
      return answer;
    },
    arrives: async (host, sent, what = 'the clean twin') => {
      const n = upstream.requests.length;
      const answer = await send(host, sent);
      assert.equal(answer.status, 200, `${what}: ${answer.body}`);
      assert.equal(upstream.requests.length, n + 1, what);
      const received = upstream.requests[n] ?? Buffer.alloc(0);
      const head = received.subarray(0, received.indexOf('\r\n\r\n')).toString('latin1');
      assert.ok(head.startsWith(`${sent.method ?? 'POST'} ${sent.target ?? '/x'} HTTP/1.1\r\n`), `${what}: ${head}`);
      const arrived = received.subarray(received.indexOf('\r\n\r\n') + 4);
      assert.deepEqual(arrived, Buffer.from(sent.body), what);
    },
    close: async () => {
      await gate.close();
      await upstream.close();
      assert.deepEqual(gate.faults, []);
    },
  };
}

/** The target is sent as it is, which a URL parser would not do. */
function rawWire(request: ProxyRequest, key: string): Buffer {
  const { host } = new URL(request.url);
  const plain = wire({ ...request, url: `http://${host}/`, key });
  const from = plain.indexOf('http://');
  const to = plain.indexOf(' HTTP/1.1');
  return Buffer.concat([plain.subarray(0, from), Buffer.from(request.url, 'latin1'), plain.subarray(to)]);
}
