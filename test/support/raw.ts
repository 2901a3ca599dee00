// A client that sends exactly the bytes it is given and reads what comes back.

import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly phrase: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
  header(name: string): string | undefined;
  json(): Record<string, unknown>;
}

export interface RawClient {
  readonly socket: Socket;
  send(bytes: string | Uint8Array): void;
  /** The next whole answer; rejects when the connection ends before it is whole. */
  answer(options?: { readonly head?: boolean }): Promise<RawAnswer>;
  /** Resolves when the other side has closed; with what was left unread. */
  closed(): Promise<string>;
  end(): void;
}

const deadlineMs = 10_000;

export function rawClient(port: number, host = '127.0.0.1'): RawClient {
  const socket = connect(port, host);
  let received = Buffer.alloc(0);
  let isClosed = false;
  let wake: () => void = () => undefined;
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isClosed = true;
    wake();
  });
  const change = () =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`nothing came; so far: ${received.toString('latin1')}`)),
        deadlineMs,
      );
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  return {
    socket,
    send: (bytes) => void socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes),
    answer: async ({ head = false } = {}) => {
      for (;;) {
        const found = parse(received, isClosed, head);
        if (found !== null) {
          received = received.subarray(found.length);
          return found.answer;
        }
        if (isClosed) throw new Error(`closed before a whole answer: "${received.toString('latin1')}"`);
        await change();
      }
    },
    closed: async () => {
      while (!isClosed) await change();
      return received.toString('latin1');
    },
    end: () => socket.destroy(),
  };
}

function parse(bytes: Buffer, isClosed: boolean, isHead: boolean): { answer: RawAnswer; length: number } | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const [line = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const [, status = '0', phrase = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(line) ?? [];
  const headers = lines.map((text): [string, string] => {
    const colon = text.indexOf(':');
    return [text.slice(0, colon), text.slice(colon + 1).trim()];
  });
  const header = (name: string) => headers.find(([found]) => found.toLowerCase() === name.toLowerCase())?.[1];
  const start = end + 4;
  const body = bodyOf(bytes.subarray(start), Number(status), header, isClosed, isHead);
  if (body === null) return null;
  const text = body.text;
  const json = (): Record<string, unknown> => JSON.parse(text);
  return { answer: { status: Number(status), phrase, headers, body: text, header, json }, length: start + body.length };
}

function bodyOf(
  rest: Buffer,
  status: number,
  header: (name: string) => string | undefined,
  isClosed: boolean,
  isHead: boolean,
): { text: string; length: number } | null {
  if (isHead || status < 200 || status === 204 || status === 304) return { text: '', length: 0 };
  if (header('transfer-encoding')?.toLowerCase() === 'chunked') return chunked(rest);
  const declared = header('content-length');
  if (declared === undefined) return isClosed ? { text: rest.toString('latin1'), length: rest.length } : null;
  const length = Number(declared);
  return rest.length < length ? null : { text: rest.subarray(0, length).toString('utf8'), length };
}

function chunked(rest: Buffer): { text: string; length: number } | null {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const line = rest.indexOf('\r\n', at);
    if (line < 0) return null;
    const size = Number.parseInt(rest.subarray(at, line).toString('latin1'), 16);
    const start = line + 2;
    if (rest.length < start + size + 2) return null;
    parts.push(rest.subarray(start, start + size));
    at = start + size + 2;
    if (size === 0) return { text: Buffer.concat(parts).toString('utf8'), length: at };
  }
}
