// The benchmark's destination, in a process of its own: takes requests with a length, answers about 200 bytes.

import { createServer } from 'node:net';

const body = JSON.stringify({ id: 're_bench', object: 'refund', status: 'succeeded', note: 'x'.repeat(60) });
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
);

const server = createServer((socket) => {
  let received = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    for (;;) {
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const [, length = '0'] = /content-length: *(\d+)/i.exec(received.toString('latin1', 0, end)) ?? [];
      const whole = end + 4 + Number(length);
      if (received.length < whole) return;
      received = received.subarray(whole);
      socket.write(answer);
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${address !== null && typeof address === 'object' ? address.port : 0}\n`);
});
// The benchmark closes this end when it is over, whatever ended it.
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
