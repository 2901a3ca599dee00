// A destination that writes down every byte it receives and answers as the test says.

import { createServer, type Server, type Socket } from 'node:net';

export interface Upstream {
  readonly port: number;
  /** Whole requests, as bytes, in order of arrival. */
  readonly requests: readonly Buffer[];
  /** Connections that were opened, whether or not anything was sent. */
  readonly connections: number;
  close(): Promise<void>;
}

export type Behaviour = (socket: Socket, request: Buffer, index: number) => void;

export const answerOk: Behaviour = (socket) => {
  socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok');
};

export async function startUpstream(behave: Behaviour = answerOk): Promise<Upstream> {
  const requests: Buffer[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let length = lengthOf(received); length !== null && received.length >= length; length = lengthOf(received)) {
        const request = received.subarray(0, length);
        received = received.subarray(length);
        requests.push(request);
        behave(socket, request, requests.length - 1);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    requests,
    get connections() {
      return connections;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function lengthOf(bytes: Buffer): number | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [, length = '0'] = /\r\ncontent-length: *(\d+)/i.exec(bytes.subarray(0, end).toString('latin1')) ?? [];
  return end + 4 + Number(length);
}

export interface ReceivedRequest {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: string;
}

export function parsed(request: Buffer | undefined): ReceivedRequest {
  const text = request?.toString('latin1') ?? '';
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...headers] = text.slice(0, end).split('\r\n');
  return { line, headers, body: text.slice(end + 4) };
}
