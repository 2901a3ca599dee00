// What the HTTP parser refused by itself, in the words of the registry.

import { refuse, type Refusal } from '../../core/reasons.ts';

export interface ParseFault {
  readonly code: string;
  /** What the connection had sent when the parser gave up; begins with the request line for faults of the head. */
  readonly packet: string;
}

export function parseFaultOf(error: unknown): ParseFault {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  const packet =
    error instanceof Error && 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : '';
  return { code, packet: packet.toString('latin1').slice(0, 16_384) };
}

export function refusalOf({ code, packet }: ParseFault): Refusal {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refuse('request_timeout');
    case 'HPE_HEADER_OVERFLOW':
      return refuse(packet.includes('\r\n') || packet === '' ? 'headers_too_large' : 'target_too_long');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refuse('body_too_large', 'chunk extensions');
    case 'HPE_INVALID_METHOD':
      return refuse(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} /.test(packet) ? 'method_not_allowed' : 'bad_request');
    default:
      return refuse('bad_request', `the parser says ${code}`);
  }
}
