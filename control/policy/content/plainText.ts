// Bytes as text: by the declared charset, else UTF-8, else in every way that is likely.

import { TextDecoder } from 'node:util';
import { Breath } from './breathe.ts';
import type { Undecodable } from './encoding.ts';

export interface PlainText {
  /** Whether the bytes are valid in the charset; only then is the first text the one that any reader sees. */
  readonly isExact: boolean;
  readonly texts: readonly [string, ...string[]];
}

const asciiCharsets = /^(?:utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|latin1|windows-125\d)$/i;

/** `charset` as declared, null when none was. */
export async function readText(bytes: Uint8Array, charset: string | null): Promise<PlainText | Undecodable> {
  const label = charset ?? marked(bytes) ?? 'utf-8';
  // Most readers take no notice of a charset: one in which plain ASCII is not ASCII would show them another body.
  if (charset !== null && !asciiCharsets.test(charset)) return { undecodable: 'the charset is not UTF-8 or like it' };
  const fatal = decoderOf(label);
  if (fatal === null) return { undecodable: 'the charset is not one that Gate can read' };
  const exact = await decode(bytes, fatal);
  if (exact !== null) return { isExact: true, texts: [exact] };
  if (charset !== null) return { undecodable: 'the body is not in its declared charset' };
  const lossy = await decode(bytes, new TextDecoder('utf-8', { ignoreBOM: true }));
  const latin = await decode(bytes, new TextDecoder('latin1'));
  return { isExact: false, texts: [latin ?? '', lossy ?? ''] };
}

/** UTF-16 says so by its first two bytes. */
function marked(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : null;
}

const slice = 512 * 1024;

/** The byte order mark is kept: some readers refuse it, and terms are not hidden by it. */
function decoderOf(label: string): TextDecoder | null {
  try {
    return new TextDecoder(label, { fatal: true, ignoreBOM: true });
  } catch {
    return null;
  }
}

/** Null where the decoder finds bytes that are not of its charset. */
async function decode(bytes: Uint8Array, decoder: TextDecoder): Promise<string | null> {
  const breath = new Breath();
  let text = '';
  try {
    for (let at = 0; at < bytes.length; at += slice) {
      text += decoder.decode(bytes.subarray(at, at + slice), { stream: true });
      // Decoding is some ten times cheaper than the work that a breath is measured by.
      if (breath.isDue(slice >> 3)) await breath.take();
    }
    return text + decoder.decode();
  } catch {
    return null;
  }
}
