// Undoes the content encodings of a body: wholly and in one way only, or not at all.

import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { Breath } from './breathe.ts';

export interface Decoded {
  readonly bytes: Uint8Array;
  /** The encodings undone, the outermost first. */
  readonly layers: readonly string[];
  /** What the bytes hold where they are compressed and nothing said so; null when they are not. */
  readonly hidden: Uint8Array | null;
}

/** Why a body cannot be read; never with bytes of it. */
export interface Undecodable {
  readonly undecodable: string;
}

export function isUndecodable(value: object): value is Undecodable {
  return 'undecodable' in value;
}

/** Senders use one; a second is a proxy's. More are an attempt at the reader's memory. */
const mostLayers = 2;

/**
 * `header` is the Content-Encoding field's value, lines joined by commas. More than `limitBytes` decoded, an encoding
 * that is not known, broken or cut short, and anything behind the end of the data are undecodable.
 */
export async function decodeLayers(
  bytes: Uint8Array,
  header: string | null,
  limitBytes: number,
): Promise<Decoded | Undecodable> {
  const names = namesOf(header);
  if (isUndecodable(names)) return names;
  let decoded = bytes;
  for (const name of names) {
    const next = await decodeOne(decoded, name, limitBytes);
    if (isUndecodable(next)) return next;
    if (name === 'gzip' && ((decoded[3] ?? 0) & namedFields) !== 0)
      return { undecodable: 'the gzip header has fields' };
    decoded = next;
  }
  const magic = names.length < mostLayers ? magicOf(decoded) : null;
  const hidden = magic === null ? null : await decodeOne(decoded, magic, limitBytes);
  // A bomb is a bomb whether or not it is declared; other failures mean that the bytes only look compressed.
  if (hidden !== null && isUndecodable(hidden) && hidden.undecodable === tooLarge) return hidden;
  return { bytes: decoded, layers: names, hidden: hidden === null || isUndecodable(hidden) ? null : hidden };
}

/** FEXTRA, FNAME and FCOMMENT (RFC 1952): text that a reader which does not decompress would see, and no judge. */
const namedFields = 0b1_1100;

type Coding = 'gzip' | 'deflate' | 'br' | 'zstd';

const codings: Readonly<Record<string, Coding | 'identity'>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
  zstd: 'zstd',
  identity: 'identity',
};

/** In the order in which they are to be undone: the last one named was applied last. */
function namesOf(header: string | null): readonly Coding[] | Undecodable {
  if (header === null) return [];
  const names: Coding[] = [];
  for (const item of header.split(',')) {
    const name = item.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase();
    const coding = Object.hasOwn(codings, name) ? codings[name] : undefined;
    if (coding === undefined) return { undecodable: 'the content encoding is not one that Gate can undo' };
    if (coding !== 'identity') names.unshift(coding);
    if (names.length > mostLayers) return { undecodable: `the body is encoded more than ${mostLayers} times` };
  }
  return names;
}

function magicOf(bytes: Uint8Array): Coding | null {
  const [first = 0, second = 0, third = 0, fourth = 0] = bytes;
  if (first === 0x1f && second === 0x8b) return 'gzip';
  if (first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd) return 'zstd';
  return first === 0x78 && ((first << 8) | second) % 31 === 0 ? 'deflate' : null;
}

const tooLarge = 'the body decodes to more than Gate judges';

async function decodeOne(bytes: Uint8Array, coding: Coding, limitBytes: number): Promise<Uint8Array | Undecodable> {
  switch (coding) {
    case 'gzip':
      return inflate(createGunzip(options), bytes, coding, limitBytes);
    case 'br':
      return inflate(createBrotliDecompress(options), bytes, coding, limitBytes);
    case 'zstd':
      return inflate(createZstdDecompress(options), bytes, coding, limitBytes);
    case 'deflate':
      return deflated(bytes, limitBytes);
  }
}

/** The name means the zlib form and is used for the raw one (RFC 9110 §8.4.1.2); what reads as both means two things. */
async function deflated(bytes: Uint8Array, limitBytes: number): Promise<Uint8Array | Undecodable> {
  const zlib = await inflate(createInflate(options), bytes, 'deflate', limitBytes);
  const raw = await inflate(createInflateRaw(options), bytes, 'deflate', limitBytes);
  if (isUndecodable(zlib)) return isUndecodable(raw) || zlib.undecodable !== tooLarge ? raw : zlib;
  return isUndecodable(raw) ? zlib : { undecodable: 'the deflate data can be read in two ways' };
}

/** Large enough that 100 MiB are not thousands of turns, small enough that one is copied at once. */
const options = { chunkSize: 128 * 1024 };

type Inflater = ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>;

/** The library works on its own threads, a chunk at a time. */
async function inflate(
  stream: Inflater,
  bytes: Uint8Array,
  coding: string,
  limitBytes: number,
): Promise<Uint8Array | Undecodable> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    stream.end(bytes);
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > limitBytes) return { undecodable: tooLarge };
      chunks.push(chunk);
    }
  } catch {
    return { undecodable: `the ${coding} data is broken or cut short` };
  } finally {
    stream.destroy();
  }
  if (stream.bytesWritten !== bytes.length) return { undecodable: `something follows the end of the ${coding} data` };
  return joined(chunks, length);
}

async function joined(chunks: readonly Uint8Array[], length: number): Promise<Uint8Array> {
  const whole = new Uint8Array(length);
  const breath = new Breath();
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
    // Copying is a hundred times cheaper than the work that a breath is measured by.
    if (breath.isDue(chunk.length >> 5)) await breath.take();
  }
  return whole;
}
