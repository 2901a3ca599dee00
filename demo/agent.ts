// The demo's agent: plain HTTP through a proxy, as any client does it that honours HTTP_PROXY.

import { request } from 'node:http';

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export function sendThroughProxy(proxyPort: number, key: string, sent: Sent): Promise<Answered> {
  const host = new URL(sent.url).host;
  const authorization = `Basic ${Buffer.from(`agent:${key}`).toString('base64')}`;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: proxyPort,
        method: sent.method,
        path: sent.url,
        headers: {
          Host: host,
          'Proxy-Authorization': authorization,
          ...sent.headers,
          'Content-Length': Buffer.byteLength(sent.body),
        },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const body = Buffer.concat(chunks).toString('utf8');
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(sent.body);
  });
}
