// The text inside base64 and hexadecimal runs. Best effort: a run that does not decode to text is passed over.

import { Buffer } from 'node:buffer';
import { ByteText } from './byteText.ts';
import type { Unwrapper } from './unwrap.ts';

/** Shorter runs hold no word worth finding: six characters are four letters. */
const shortestRun = 6;
/** Characters decoded at a time; a multiple of four, so that blocks of one run join without a seam. */
const block = 4096;
/** A run this long that meets a line break goes on behind it: mail wraps base64 at 64 or 76. */
const shortestLine = 60;

export const unwrapBase64 = (): Unwrapper => new Base64Unwrapper();

/** What plain words are made of: they are judged as they stand. */
const plainWord = /^[A-Za-z]?[a-z]*$/;

/** Whether unwrapping a text could give anything at all: there is a run long enough that is no plain word. */
export function mayHoldBase64(text: string): boolean {
  // Runs may go on behind a line break.
  if (/[\r\n]/.test(text)) return true;
  return text.match(/[A-Za-z0-9+/_-]{6,}/g)?.some((run) => !plainWord.test(run)) ?? false;
}

const isRunUnit = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_') {
  isRunUnit[character.charCodeAt(0)] = 1;
}

class Base64Unwrapper implements Unwrapper {
  #run = '';
  #isLongRun = false;
  #lineLength = 0;
  #isWrapped = false;

  push(piece: string): string {
    let found = '';
    for (let at = 0; at < piece.length;) {
      const from = at;
      while (at < piece.length && (isRunUnit[piece.charCodeAt(at)] ?? 0) === 1) at++;
      found += this.#add(piece.slice(from, at));
      if (at === piece.length) break;
      const unit = piece.charCodeAt(at++);
      if ((unit === 0x0a || unit === 0x0d) && (this.#isWrapped || this.#lineLength >= shortestLine)) {
        this.#isWrapped = true;
        this.#lineLength = 0;
      } else found += this.end();
    }
    return found;
  }

  end(): string {
    const text = this.#run.length >= shortestRun || this.#isLongRun ? this.#decode(this.#run) : '';
    const found = text === '' && !this.#isLongRun ? '' : `${text}\n`;
    this.#run = '';
    this.#isLongRun = false;
    this.#lineLength = 0;
    this.#isWrapped = false;
    return found;
  }

  #add(units: string): string {
    this.#lineLength += units.length;
    this.#run += units;
    if (this.#run.length < block) return '';
    const whole = this.#run.length - (this.#run.length % block);
    let found = '';
    for (let at = 0; at < whole; at += block) found += this.#decode(this.#run.slice(at, at + block));
    this.#run = this.#run.slice(whole);
    this.#isLongRun = true;
    return found;
  }

  #decode(run: string): string {
    if (plainWord.test(run)) return '';
    const text = textOf(Buffer.from(run, 'base64'));
    return run.length % 2 === 0 && /^[0-9a-f]+$/i.test(run) ? `${text}\n${textOf(Buffer.from(run, 'hex'))}` : text;
  }
}

/** Empty unless nine in ten characters are such as text is made of: a picture has a fifth that are not. */
function textOf(bytes: Uint8Array): string {
  const characters = new ByteText();
  let text = '';
  for (const byte of bytes) text += characters.add(byte);
  text += characters.end();
  const strange = text.match(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f\ufffd]/g)?.length ?? 0;
  return strange * 10 > text.length ? '' : text;
}
