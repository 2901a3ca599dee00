// Takes a multipart body apart where every reader must cut it at the same places, or refuses it.

import { Buffer } from 'node:buffer';
import { Breath } from './breathe.ts';
import { isUndecodable, type Undecodable } from './encoding.ts';
import { readMediaType, type MediaType } from './mediaType.ts';
import { unwrapQuotedPrintable } from './unwrap.ts';

export interface Part {
  /** Null in a part that is not a form's. */
  readonly name: string | null;
  readonly fileName: string | null;
  /** As written; null when the part declares none. */
  readonly contentType: string | null;
  /** The header section as text, all of it to be judged. */
  readonly head: string;
  /** With its Content-Transfer-Encoding undone. */
  readonly bytes: Uint8Array;
}

const mostParts = 1000;
const longestHead = 8 * 1024;

/** RFC 2046 §5.1.1: 1 to 70 characters, no space at the end. */
const boundaryForm = /^[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]$/;

/** The preamble stands before the first part, as a part without a name. */
export async function readMultipart(bytes: Uint8Array, type: MediaType): Promise<readonly Part[] | Undecodable> {
  const boundary = type.parameters.get('boundary');
  if ([...type.parameters.keys()].some((name) => name !== 'boundary' && name.includes('boundary'))) {
    return { undecodable: 'a second parameter looks like the boundary' };
  }
  if (boundary === undefined || !boundaryForm.test(boundary))
    return { undecodable: 'the boundary is missing or malformed' };
  const pieces = cut(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), boundary);
  if (isUndecodable(pieces)) return pieces;
  const parts: Part[] = [];
  for (const piece of pieces) {
    const part = await readPart(piece);
    if (isUndecodable(part)) return part;
    parts.push(part);
  }
  return parts;
}

/** Between lines `--boundary`; wherever else it stands, some reader could take it for one. */
function cut(bytes: Buffer, boundary: string): readonly Buffer[] | Undecodable {
  const mark = Buffer.from(`--${boundary}`, 'latin1');
  const pieces: Buffer[] = [];
  let from = -1;
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at)) {
    if (at > 0 && bytes.toString('latin1', at - 2, at) !== '\r\n') return { undecodable: 'a boundary is not a line' };
    if (from === -1 && at > 0) return { undecodable: 'something stands before the first part' };
    if (from !== -1) pieces.push(bytes.subarray(from, at - 2 < from ? from : at - 2));
    const after = at + mark.length;
    const tail = bytes.toString('latin1', after, after + 2);
    if (tail === '--')
      return pieces.length > 0 && isEnd(bytes, after + 2) ? pieces : { undecodable: 'the end is malformed' };
    if (tail !== '\r\n') return { undecodable: 'a boundary is not a line' };
    if (pieces.length === mostParts) return { undecodable: `the body has more than ${mostParts} parts` };
    from = at = after + 2;
  }
  return { undecodable: 'the multipart body does not end' };
}

function isEnd(bytes: Buffer, at: number): boolean {
  return at === bytes.length || (at + 2 === bytes.length && bytes.toString('latin1', at) === '\r\n');
}

async function readPart(piece: Buffer): Promise<Part | Undecodable> {
  const isBare = piece.length >= 2 && piece[0] === 0x0d && piece[1] === 0x0a;
  const end = isBare ? 0 : piece.subarray(0, longestHead + 4).indexOf('\r\n\r\n');
  if (end === -1) return { undecodable: `a part's header does not end within ${longestHead} bytes` };
  const head = piece.toString('utf8', 0, end);
  const fields = readHead(head);
  if (fields === null) return { undecodable: "a part's header is malformed" };
  const disposition = readMediaType(fields.get('content-disposition')?.replace(/^[ \t]*([^;\s]+)/, 'part/$1') ?? null);
  if (disposition === null) return { undecodable: "a part's Content-Disposition is malformed" };
  const name = disposition.parameters.get('name');
  // Extended and continued names, and quotes that are part of a name, are other names to other readers.
  const isDoubtful =
    [...disposition.parameters.keys()].some((key) => key.startsWith('name*')) || /['"]/.test(name ?? '');
  if (isDoubtful) return { undecodable: 'a part has a name that readers take differently' };
  const fileName = disposition.parameters.get('filename*') ?? disposition.parameters.get('filename');
  if (disposition.essence === 'part/form-data' && name === undefined) return { undecodable: 'a part has no name' };
  const content = await undo(piece.subarray(end + (isBare ? 2 : 4)), fields.get('content-transfer-encoding') ?? '');
  if (isUndecodable(content)) return content;
  const contentType = fields.get('content-type') ?? null;
  return { name: name ?? null, fileName: fileName ?? null, contentType, head, bytes: content };
}

/** Null for anything that two readers could see differently: folded lines, bare line ends, a field named twice. */
function readHead(head: string): ReadonlyMap<string, string> | null {
  const fields = new Map<string, string>();
  for (const line of head === '' ? [] : head.split('\r\n')) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)$/.exec(line);
    const name = match?.[1]?.toLowerCase();
    if (match === null || name === undefined || fields.has(name)) return null;
    fields.set(name, match[2] ?? '');
  }
  return fields;
}

/** RFC 7578 has done away with it, and servers still obey it. */
async function undo(bytes: Buffer, encoding: string): Promise<Uint8Array | Undecodable> {
  switch (encoding.trim().toLowerCase()) {
    case '':
    case '7bit':
    case '8bit':
    case 'binary':
      return bytes;
    case 'base64':
      return undoBase64(bytes);
    case 'quoted-printable':
      return undoQuotedPrintable(bytes);
    default:
      return { undecodable: 'a part has a transfer encoding that Gate cannot undo' };
  }
}

/** Characters undone at a time; a multiple of four. */
const slice = 64 * 1024;

async function undoBase64(bytes: Buffer): Promise<Uint8Array | Undecodable> {
  const breath = new Breath();
  const decoded: Buffer[] = [];
  let held = '';
  for (let at = 0; at < bytes.length; at += slice) {
    held += bytes.toString('latin1', at, at + slice).replace(/[\r\n]+/g, '');
    const isLast = at + slice >= bytes.length;
    const whole = isLast ? held : held.slice(0, held.length - (held.length % 4));
    if (!(isLast ? /^[A-Za-z0-9+/]*={0,2}$/ : /^[A-Za-z0-9+/]*$/).test(whole) || whole.length % 4 === 1) {
      return { undecodable: 'the base64 of a part is broken' };
    }
    decoded.push(Buffer.from(whole, 'base64'));
    held = held.slice(whole.length);
    if (breath.isDue(slice)) await breath.take();
  }
  return Buffer.concat(decoded);
}

async function undoQuotedPrintable(bytes: Buffer): Promise<Uint8Array> {
  const breath = new Breath();
  const unwrapper = unwrapQuotedPrintable();
  const decoded: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += slice) {
    decoded.push(Buffer.from(unwrapper.push(bytes.toString('latin1', at, at + slice))));
    if (breath.isDue(slice)) await breath.take();
  }
  return Buffer.concat([...decoded, Buffer.from(unwrapper.end())]);
}
