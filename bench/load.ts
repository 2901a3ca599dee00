// The load: POSTs over kept connections to one proxy for a while, each sent when the one before it is answered.

import { connect, type Socket } from 'node:net';

export interface Load {
  readonly port: number;
  readonly key: string;
  readonly connections: number;
  readonly bodyBytes: number;
}

export interface Ran {
  readonly requests: number;
  readonly seconds: number;
}

/** Ends when the time is over and every request that began is answered; rejects on any answer but 200. */
export async function run(load: Load, forMs: number): Promise<Ran> {
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load.port)));
  const since = performance.now();
  const counts = await Promise.all(sockets.map((socket) => repeat(socket, load, since + forMs)));
  const seconds = (performance.now() - since) / 1000;
  for (const socket of sockets) socket.destroy();
  return { requests: counts.reduce((sum, count) => sum + count, 0), seconds };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

let serial = 0;

function repeat(socket: Socket, { key, bodyBytes }: Load, until: number): Promise<number> {
  const credential = Buffer.from(`agent:${key}`).toString('base64');
  const head =
    'POST http://free.test/v1/refunds HTTP/1.1\r\nHost: free.test\r\nContent-Type: application/json\r\n' +
    `Proxy-Authorization: Basic ${credential}\r\nContent-Length: ${bodyBytes}\r\n\r\n`;
  return new Promise((resolve, reject) => {
    let count = 0;
    let received = '';
    // No two bodies are the same: identical requests would be one intent.
    const send = () => socket.write(`${head}${`{"n":${serial++},"fill":"`.padEnd(bodyBytes - 2, 'x')}"}`);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`The connection ended after ${count} answers`)));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      const [, length = '0'] = /content-length: *(\d+)/i.exec(received) ?? [];
      if (end < 0 || received.length < end + 4 + Number(length)) return;
      if (!received.startsWith('HTTP/1.1 200')) return reject(new Error(received));
      received = '';
      count++;
      if (performance.now() < until) send();
      else resolve(count);
    });
    send();
  });
}
