// The form in which terms are sought: what a reader would take the text for, whatever characters it is written in.

import { digitLetters, lookAlike, symbolReadings, symbolSigns } from './lookAlikes.ts';

/**
 * Stands for a space or for nothing: what cannot be seen (zero-width, control characters) and the gaps in `E V I L`.
 * The tilde itself is punctuation, so the sign is free.
 */
export const gap = 0x7e;
/** Plus a digit: that digit or the letter it passes for, where a lone digit stands among lone letters. */
export const loneDigit = 0x80;

/**
 * Small Latin letters, digits, single spaces and other scripts' small letters. Signs with several readings stay signs
 * (`letterReadings`, `symbolReadings`, `gap`): the reader of this text tries them all.
 */
export function normalise(text: string): string {
  const normaliser = new Normaliser();
  let normal = '';
  for (let from = 0; from < text.length;) {
    const to = sliceEnd(text, from, sliceLength);
    const length = normaliser.push(text, from, to);
    from = to;
    normal += String.fromCharCode(...normaliser.units.subarray(0, length));
  }
  const length = normaliser.end();
  return (normal + String.fromCharCode(...normaliser.units.subarray(0, length))).trim();
}

/** UTF-16 units that one push takes at most: well under a millisecond of work, whatever the text. */
export const sliceLength = 4096;

/** Where a slice of at most `longest` units ends: never inside a surrogate pair. */
export function sliceEnd(text: string, from: number, longest: number): number {
  const end = from + longest;
  if (end >= text.length) return text.length;
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last < 0xdc00 ? end - 1 : end;
}

const letter = 1;
const digit = 2;
const symbol = 4;
const upper = 8;
const lower = 16;
const capitalI = 32;
const smallL = 64;
const hidden = 128;
const ambiguous = digit | symbol | capitalI | smallL;
/** `l` alone is plain: it is looked at again only in mixed case. */
const mixed = smallL | upper;
const unplain = digit | symbol | capitalI | hidden;

/** A longer word is no word; it is handed on in parts so that the memory stays small. */
const longestWord = 256;
/** U+FDFA, the longest, becomes 18 units and four spaces. */
const longestFold = 64;

/** Takes a text in slices of at most `sliceLength` and hands on what is settled; memory does not grow with the text. */
export class Normaliser {
  /** Output; the first n units, n being what `push` or `end` returned, are valid until the next call. */
  units = new Uint16Array(3 * sliceLength);
  #length = 0;
  #handedOn = 0;
  #wordStart = 0;
  #wordKinds = 0;
  #isLongWord = false;
  /** Where the single-character word before this one stands; -1 when there is none. */
  #loneStart = -1;
  #loneKinds = 0;

  push(text: string, from: number, to: number): number {
    this.#release();
    for (let at = from; at < to; at++) {
      at = this.#words(text, at, to);
      if (this.#length - this.#wordStart >= longestWord) this.#cutWord();
      if (this.#length + longestFold > this.units.length) this.#grow();
      if (at === to) break;
      const unit = text.charCodeAt(at);
      if (unit >= 128) {
        const codePoint = text.codePointAt(at) ?? unit;
        if (codePoint > 0xffff) at++;
        this.#add(foldOf(codePoint));
      } else if (asciiKinds[unit] !== 0) at--;
      else if (asciiCodes[unit] === gap) this.#gap();
      else this.#space();
    }
    this.#handedOn = this.#loneStart >= 0 ? this.#loneStart : this.#wordStart;
    return this.#handedOn;
  }

  /** Copies ASCII words and the spaces between plain ones, the most of most texts; returns where they end. */
  #words(text: string, from: number, to: number): number {
    const { units } = this;
    let length = this.#length;
    let start = this.#wordStart;
    let kinds = this.#wordKinds;
    let at = from;
    for (; at < to; at++) {
      const unit = text.charCodeAt(at);
      const both = unit < 128 ? (asciiWord[unit] ?? 0) : 0;
      if (both !== 0) {
        if (length - start >= longestWord) break;
        units[length++] = both & 0xff;
        kinds |= both >> 8;
      } else {
        const isPlain =
          unit === 0x20 &&
          (kinds & unplain) === 0 &&
          (kinds & mixed) !== mixed &&
          length - start > 1 &&
          !this.#isLongWord;
        if (!isPlain) break;
        units[length++] = 0x20;
        start = length;
        kinds = 0;
        this.#loneStart = -1;
      }
    }
    this.#length = length;
    this.#wordStart = start;
    this.#wordKinds = kinds;
    return at;
  }

  /** The text is over; the next push begins another. */
  end(): number {
    this.#release();
    this.#endWord();
    const length = this.#length;
    this.#handedOn = length;
    this.#loneStart = -1;
    this.#isLongWord = false;
    return length;
  }

  #release(): void {
    const by = this.#handedOn;
    if (by === 0) return;
    this.units.copyWithin(0, by, this.#length);
    this.#length -= by;
    this.#wordStart = Math.max(0, this.#wordStart - by);
    if (this.#loneStart >= 0) this.#loneStart -= by;
    this.#handedOn = 0;
  }

  #grow(): void {
    const larger = new Uint16Array(2 * this.units.length);
    larger.set(this.units);
    this.units = larger;
  }

  #add(fold: string): void {
    for (let at = 0; at < fold.length; at++) {
      const unit = fold.charCodeAt(at);
      if (unit === 0x20) this.#space();
      else if (unit === gap) this.#gap();
      else {
        this.units[this.#length++] = unit;
        this.#wordKinds |= unit < 128 ? (signKinds[unit] ?? letter) : letter;
      }
    }
  }

  #space(): void {
    if (this.#length > this.#wordStart) this.#endWord();
    if (this.#length > 0 && this.units[this.#length - 1] === 0x20) return;
    this.units[this.#length++] = 0x20;
    this.#wordStart = this.#length;
  }

  #gap(): void {
    if (this.#length > this.#wordStart && this.units[this.#length - 1] === gap) return;
    this.units[this.#length++] = gap;
    this.#wordKinds |= hidden;
  }

  #cutWord(): void {
    this.#mendWord();
    this.#wordStart = this.#length;
    this.#isLongWord = true;
    this.#loneStart = -1;
  }

  #endWord(): void {
    const start = this.#wordStart;
    const kinds = this.#wordKinds;
    if (kinds & ambiguous) this.#mendWord();
    const isLone = !this.#isLongWord && this.#isLone();
    const joins = isLone && this.#loneStart >= 0 && ((kinds | this.#loneKinds) & letter) !== 0;
    if (joins) this.#join(this.#loneStart, start);
    this.#loneStart = isLone ? start : -1;
    this.#loneKinds = joins ? letter : kinds;
    this.#wordStart = this.#length;
    this.#wordKinds = 0;
    this.#isLongWord = false;
  }

  /** One Latin letter, digit or mark, besides gaps. */
  #isLone(): boolean {
    let count = 0;
    for (let at = this.#wordStart; at < this.#length && count < 2; at++) {
      const unit = this.units[at] ?? 0;
      if (unit !== gap) count += unit < 0x80 ? 1 : 2;
    }
    return count === 1;
  }

  /** Two lone characters side by side, one of them a letter: the space between them may mean nothing. */
  #join(first: number, second: number): void {
    this.units[second - 1] = gap;
    for (let at = first; at < this.#length; at++) {
      const unit = this.units[at] ?? 0;
      if (unit >= 0x30 && unit <= 0x39) this.units[at] = loneDigit + unit - 0x30;
    }
  }

  /** Digits are letters only beside a letter: a number stays a number. I and l pass for each other in mixed case. */
  #mendWord(): void {
    const kinds = this.#wordKinds;
    const isWord = (kinds & letter) !== 0;
    if (!isWord && (kinds & digit) === 0 && this.#length - this.#wordStart > 1) this.#length = this.#wordStart;
    const looseI = (kinds & (lower | smallL)) !== 0 ? 0x49 : 0x69;
    const looseL = (kinds & upper) !== 0 && (kinds & lower) === 0 ? 0x49 : 0x6c;
    for (let at = this.#wordStart; at < this.#length; at++) {
      const unit = this.units[at] ?? 0;
      if (unit === 0x49) this.units[at] = looseI;
      else if (unit === 0x6c) this.units[at] = looseL;
      else if (unit >= 0x30 && unit <= 0x39 && isWord) this.units[at] = digitLetters.charCodeAt(unit - 0x30);
      else if (!isWord && (kinds & digit) !== 0 && signKinds[unit] === symbol) this.units[at] = 0x20;
    }
  }
}

const asciiCodes = new Uint8Array(128).fill(0x20);
const asciiKinds = new Uint8Array(128);
for (let unit = 0; unit < 128; unit++) {
  const character = String.fromCharCode(unit);
  if (/[a-z]/i.test(character)) {
    asciiCodes[unit] = character.toLowerCase().charCodeAt(0);
    asciiKinds[unit] = letter | (/[a-z]/.test(character) ? lower : upper);
  } else if (/\d/.test(character)) {
    asciiCodes[unit] = unit;
    asciiKinds[unit] = digit;
  } else if (character in symbolSigns) {
    asciiCodes[unit] = symbolSigns[character]?.charCodeAt(0) ?? 0;
    asciiKinds[unit] = symbol;
  } else if (unit < 0x20 && !/\s/.test(character)) asciiCodes[unit] = gap;
}
asciiCodes[0x7f] = gap;
asciiCodes[0x49] = 0x49;
asciiKinds[0x49] = letter | capitalI;
asciiKinds[0x6c] = letter | smallL;
/** Kinds and code in one, zero outside words: one look per character. */
const asciiWord = Uint16Array.from(asciiKinds, (kinds, unit) =>
  kinds === 0 ? 0 : (kinds << 8) | (asciiCodes[unit] ?? 0),
);

/** What the signs that folding gives count as. */
const signKinds = new Uint8Array(128).fill(letter);
for (let unit = 0x30; unit <= 0x39; unit++) signKinds[unit] = digit;
for (const sign of Object.keys(symbolReadings)) signKinds[sign.charCodeAt(0)] = symbol;

/** Folds of characters met before; bounded by the planes of Unicode that have letters, emptied long before that. */
const folds = new Map<number, string>();

function foldOf(codePoint: number): string {
  const known = folds.get(codePoint);
  if (known !== undefined) return known;
  if (folds.size > 20_000) folds.clear();
  const fold = foldCharacter(String.fromCodePoint(codePoint));
  folds.set(codePoint, fold);
  return fold;
}

/** Decomposes (NFKD, so that slices never depend on each other), then reads each part for itself. */
function foldCharacter(character: string): string {
  const whole = lookAlike(character);
  if (whole !== null) return whole;
  let fold = '';
  for (const part of character.normalize('NFKD')) fold += foldPart(part);
  return fold;
}

function foldPart(part: string): string {
  if (/\p{Default_Ignorable_Code_Point}/u.test(part)) return '~';
  if (/\p{M}/u.test(part)) return '';
  const sign = symbolSigns[part];
  if (sign !== undefined) return sign;
  const small = part.toUpperCase().toLowerCase();
  const seen = lookAlike(part) ?? lookAlike(small);
  if (seen !== null) return seen;
  if (/\p{Nd}/u.test(part)) return String(digitValue(part));
  if (withoutSpaces.test(part)) return ` ${part} `;
  if (/[\p{L}\p{N}]/u.test(part)) return small.normalize('NFKD').replace(/\p{M}/gu, '');
  return /[\p{C}\ufffd]/u.test(part) && !/\s/.test(part) ? '~' : ' ';
}

/** Scripts written without spaces: each sign is a word, so that a term is found inside a sentence. */
const withoutSpaces = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Mymr}]/u;

/** Decimal digits stand in runs of ten that begin with zero. */
function digitValue(part: string): number {
  const code = part.codePointAt(0) ?? 0;
  let before = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(code - before - 1))) before++;
  return before % 10;
}
