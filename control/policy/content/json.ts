// Reads JSON as every reader must read it: bounded, exact, and refused where two readers could differ.

import { Buffer } from 'node:buffer';
import { Breath } from './breathe.ts';

/** A value with its numbers as they were written. Keys are a Map's, so "__proto__" is a key like any other. */
export type JsonNode =
  | { readonly kind: 'object'; readonly entries: ReadonlyMap<string, JsonNode> }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'true' | 'false' | 'null' };

/** `malformed`: the text is not JSON. `refused`: it is, or a lenient reader takes it for JSON, and it is not judged. */
export interface JsonFault {
  readonly fault: 'malformed' | 'refused';
  readonly why: string;
}

export function isJsonFault(value: JsonNode | JsonFault): value is JsonFault {
  return 'fault' in value;
}

export const jsonLimits = {
  depth: 64,
  /**
   * Values, at any depth. Ten megabytes of records have one in ten bytes or more, so a full import passes; what is
   * denser is an attack on the reader's memory.
   */
  values: 1_000_000,
  /** Records have tens; a map of this many is data under the wrong shape. */
  keys: 10_000,
} as const;

/** The text is whole and was valid UTF-8. */
export async function readJson(text: string): Promise<JsonNode | JsonFault> {
  const reader = new Reader(text);
  const breath = new Breath();
  try {
    for (let step = reader.steps.next(); ; step = reader.steps.next()) {
      if (step.done === true) return step.value;
      if (breath.isDue(step.value)) await breath.take();
    }
  } catch (error) {
    if (error instanceof Stop) return error.fault;
    throw error;
  }
}

/** Ends reading from any depth of it; never leaves this file. */
class Stop extends Error {
  readonly fault: JsonFault;
  constructor(fault: JsonFault) {
    super(fault.why);
    this.fault = fault;
  }
}

type Open = { readonly entries: Map<string, JsonNode>; key: string } | { readonly items: JsonNode[] };

/** Units of text between two looks at the clock's stead; a value counts as twenty. */
const step = 16 * 1024;
const valueCost = 20;
/** Two escapes of six, and some. */
const longestPair = 16;
/** A number that no reader holds exactly is an amount that nobody meant. */
const longestNumber = 1024;

const emptyObject: JsonNode = { kind: 'object', entries: new Map() };
const emptyArray: JsonNode = { kind: 'array', items: [] };
const nodes = { true: { kind: 'true' }, false: { kind: 'false' }, null: { kind: 'null' } } as const;

class Reader {
  readonly steps: Generator<number, JsonNode>;
  readonly #text: string;
  #at = 0;
  #values = 0;
  readonly #open: Open[] = [];

  constructor(text: string) {
    this.#text = text;
    this.steps = this.#read();
  }

  *#read(): Generator<number, JsonNode> {
    if (this.#text.startsWith('\ufeff')) this.#refuse('it begins with a byte order mark');
    let paused = 0;
    for (;;) {
      const passed = this.#at + valueCost * this.#values;
      if (passed - paused > step) {
        yield passed - paused;
        paused = passed;
      }
      this.#space();
      const unit = this.#text.charCodeAt(this.#at);
      let node: JsonNode;
      if (unit === 0x7b || unit === 0x5b) {
        this.#count();
        if (this.#open.length === jsonLimits.depth) this.#refuse(`it is nested more than ${jsonLimits.depth} deep`);
        this.#at++;
        this.#space();
        if (this.#text.charCodeAt(this.#at) !== unit + 2) {
          this.#open.push(unit === 0x7b ? { entries: new Map(), key: '' } : { items: [] });
          this.#key();
          continue;
        }
        this.#at++;
        node = unit === 0x7b ? emptyObject : emptyArray;
      } else if (unit === 0x22) {
        this.#count();
        const text: string = this.#shortString() ?? (yield* this.#longString());
        node = { kind: 'string', text };
      } else node = this.#plain();
      const whole = this.#place(node);
      if (whole !== null) {
        yield this.#at + valueCost * this.#values - paused;
        return whole;
      }
    }
  }

  /** Puts a value where it belongs and passes what follows it; the outermost one, with nothing behind it, is returned. */
  #place(value: JsonNode): JsonNode | null {
    let node = value;
    for (;;) {
      const open = this.#open.at(-1);
      this.#space();
      if (open === undefined) {
        if (this.#at < this.#text.length) this.#fail('something follows its end');
        return node;
      }
      if ('items' in open) open.items.push(node);
      else open.entries.set(open.key, node);
      const unit = this.#text.charCodeAt(this.#at);
      if (unit === 0x2c) {
        this.#at++;
        this.#key();
        return null;
      }
      if (unit !== ('items' in open ? 0x5d : 0x7d)) this.#fail('a comma or a closing bracket is missing');
      node = this.#close();
    }
  }

  #close(): JsonNode {
    this.#at++;
    const open = this.#open.pop();
    if (open === undefined) throw new Error('A bracket was closed that was never opened');
    return 'items' in open ? { kind: 'array', items: open.items } : { kind: 'object', entries: open.entries };
  }

  /** In an object, the next key and its colon. */
  #key(): void {
    const open = this.#open.at(-1);
    if (open === undefined || 'items' in open) return;
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== 0x22) this.#fail('a key is missing');
    const key = this.#shortString() ?? this.#refuse('a key is too long');
    if (open.entries.has(key)) this.#refuse('a key stands twice in one object');
    if (open.entries.size === jsonLimits.keys) this.#refuse(`an object has more than ${jsonLimits.keys} keys`);
    open.key = key;
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== 0x3a) this.#fail('a colon is missing');
    this.#at++;
  }

  #plain(): JsonNode {
    this.#count();
    for (const word of ['true', 'false', 'null'] as const) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return nodes[word];
      }
    }
    const text = this.#text.slice(this.#at, this.#at + longestNumber).match(numberUnits)?.[0] ?? '';
    if (text.length === longestNumber) this.#refuse('a number is too long');
    if (!number.test(text)) this.#fail('a value is missing or malformed');
    this.#at += text.length;
    return { kind: 'number', text };
  }

  /** A string of which the end is near; null, and nothing passed, when it is not. */
  #shortString(): string | null {
    const from = this.#at + 1;
    const last = Math.min(this.#text.length, from + step);
    let isPlain = true;
    for (let at = from; at < last; at++) {
      const unit = this.#text.charCodeAt(at);
      if (unit === 0x22) {
        this.#at = at + 1;
        const raw = this.#text.slice(from, at);
        return isPlain ? raw : this.#unescape(raw);
      }
      if (unit === 0x5c) {
        isPlain = false;
        at++;
      } else if (unit < 0x20) this.#fail('a control character stands in a string');
    }
    if (last === this.#text.length) this.#fail('a string does not end');
    return null;
  }

  *#longString(): Generator<number, string> {
    const pieces: string[] = [];
    for (let from = this.#at + 1; ;) {
      const { end, isPlain } = this.#piece(from);
      const raw = this.#text.slice(from, end);
      pieces.push(isPlain ? raw : this.#unescape(raw));
      // Escapes cost what many plain characters do.
      yield isPlain ? raw.length : 4 * raw.length;
      this.#at = end + 1;
      if (this.#text.charCodeAt(end) === 0x22) return pieces.join('');
      from = end;
    }
  }

  /** Where a piece of a string may end: at the closing quote, or before an escape and before a pair of them. */
  #piece(from: number): { readonly end: number; readonly isPlain: boolean } {
    let isPlain = true;
    let high = -1;
    for (let at = from; ; at++) {
      const unit = this.#text.charCodeAt(at);
      if (Number.isNaN(unit)) this.#fail('a string does not end');
      if (unit === 0x22) return { end: at, isPlain };
      if (unit < 0x20) this.#fail('a control character stands in a string');
      const isNearEnd = at - from > step - longestPair;
      if (unit === 0x5c) {
        if (isNearEnd) return { end: high !== -1 && high + 6 === at ? high : at, isPlain };
        isPlain = false;
        high = /[89ab]/i.test(this.#text.charAt(at + 3)) ? at : -1;
        at++;
      } else if (at - from >= step) return { end: at, isPlain };
    }
  }

  /** `raw` is a piece of a string that has escapes, none of them cut. */
  #unescape(raw: string): string {
    let length = 0;
    for (let at = 0; at < raw.length; at++) {
      let unit = raw.charCodeAt(at);
      if (unit === 0x5c) {
        const letter = raw.charCodeAt(++at);
        unit = letter === 0x75 ? this.#hex(raw, at + 1) : (plainEscapes[letter] ?? 0);
        if (letter === 0x75) at += 4;
        if (unit === 0) this.#fail('a string has an escape that JSON has not');
        if (letter === 0x75 && (unit & 0xf800) === 0xd800) {
          const low = raw.startsWith('\\u', at + 1) ? this.#hex(raw, at + 3) : 0;
          if ((unit & 0xfc00) !== 0xd800 || (low & 0xfc00) !== 0xdc00)
            this.#refuse('a string has half of a surrogate pair');
          units[length++] = unit;
          unit = low;
          at += 6;
        }
      }
      units[length++] = unit;
    }
    return unitBytes.toString('utf16le', 0, 2 * length);
  }

  #hex(raw: string, at: number): number {
    let value = 0;
    for (let place = 0; place < 4; place++) {
      const digit = hexDigits[raw.charCodeAt(at + place)] ?? 0xff;
      if (digit === 0xff) this.#fail('a string has an escape that JSON has not');
      value = (value << 4) | digit;
    }
    // A reader that ends strings at NUL sees less than was judged.
    if (value === 0) this.#refuse('a string has an escaped NUL');
    return value;
  }

  #space(): void {
    let at = this.#at;
    for (let unit = this.#text.charCodeAt(at); isSpace(unit); unit = this.#text.charCodeAt(at)) at++;
    this.#at = at;
  }

  #count(): void {
    if (++this.#values > jsonLimits.values) this.#refuse(`it has more than ${jsonLimits.values} values`);
  }

  #fail(why: string): never {
    throw new Stop({ fault: 'malformed', why });
  }

  #refuse(why: string): never {
    throw new Stop({ fault: 'refused', why });
  }
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;
}

/** RFC 8259 §6. */
const number = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const numberUnits = /^[0-9a-zA-Z.+_-]*/;

/** By the unit after the backslash; zero where JSON has no such escape. */
const plainEscapes = new Uint8Array(128);
for (const [letter, meant] of Object.entries({ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' })) {
  plainEscapes[letter.charCodeAt(0)] = meant.charCodeAt(0);
}
for (const letter of '"\\/') plainEscapes[letter.charCodeAt(0)] = letter.charCodeAt(0);
const hexDigits = new Uint8Array(128).fill(0xff);
for (const digit of '0123456789abcdefABCDEF') hexDigits[digit.charCodeAt(0)] = Number.parseInt(digit, 16);
/** Where a piece is put together; no piece of raw text is longer than a step and a pair. */
const units = new Uint16Array(step + 2 * longestPair);
const unitBytes = Buffer.from(units.buffer);
