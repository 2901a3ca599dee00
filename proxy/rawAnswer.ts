// Answers written straight to a socket, where no server response exists: parse faults and refused tunnels.

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { refusalAnswer } from './answers.ts';
import type { Refusal } from '../core/reasons.ts';

/** How long a client that does not close gets to read the answer. */
const lingerMs = 1_000;

export function answerRaw(socket: Duplex, refusal: Refusal, requestId: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = refusalAnswer(refusal, {
    requestId,
    intent: null,
    destination: null,
    policy: null,
  });
  // A client that asked for a tunnel shows at most the status line: the reason stands there.
  const phrase = `${STATUS_CODES[status] ?? 'Refused'} by Gate: ${refusal.refused} (${requestId})`;
  const lines = [
    `HTTP/1.1 ${status} ${phrase}`,
    `Date: ${new Date().toUTCString()}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  setTimeout(() => socket.destroy(), lingerMs).unref();
}
