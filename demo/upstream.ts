// The demo's stand-in for an API: a process of its own that writes down every byte it receives.

import { createServer } from 'node:net';

/** One line on stdout: first the port, then each request as Base64. */
function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const answer = JSON.stringify({ id: 're_demo', object: 'refund', status: 'succeeded' });

const server = createServer((socket) => {
  let received = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    const length = requestLength(received);
    if (length === null || received.length < length) return;
    say({ request: received.subarray(0, length).toString('base64') });
    received = received.subarray(length);
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`,
    );
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') say({ port: address.port });
});
// The demo closes this end when it is over, whatever ended it.
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();

function requestLength(bytes: Buffer): number | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [, length = '0'] = /\r\ncontent-length: *(\d+)/i.exec(bytes.subarray(0, end).toString('latin1')) ?? [];
  return end + 4 + Number(length);
}
