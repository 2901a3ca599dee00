// Undoes one writing of text, piece by piece: percent, entities, backslashes, quoted-printable; markup and base64 beside.

import { ByteText } from './byteText.ts';

/** Takes a text in pieces; the pieces it returns, together, are the text unwrapped. */
export interface Unwrapper {
  push(piece: string): string;
  /** What was held back; the next piece begins another text. */
  end(): string;
}

/** How one kind of escape is written. */
interface Escape {
  /** The character that every one begins with. */
  readonly mark: string;
  /** Sticky; matches a whole escape. */
  readonly form: RegExp;
  /** Longest escape, in units: fewer than these at the end of a piece may be half of one. */
  readonly longest: number;
  /** A byte of UTF-8, or text. */
  readonly read: (match: RegExpExecArray) => number | string;
}

const percent: Escape = {
  mark: '%',
  form: /%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/iy,
  longest: 6,
  read: ([, unit, byte]) => (unit === undefined ? Number.parseInt(byte ?? '', 16) : unitOf(unit, 16)),
};

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  shy: '\u00ad',
  zwj: '\u200d',
  zwnj: '\u200c',
  tab: '\t',
  newline: '\n',
  excl: '!',
  dollar: '$',
  commat: '@',
  num: '#',
  percnt: '%',
  lowbar: '_',
  sol: '/',
  bsol: '\\',
  period: '.',
  comma: ',',
  hyphen: '-',
  dash: '-',
  plus: '+',
  equals: '=',
  colon: ':',
  semi: ';',
  vert: '|',
  verbar: '|',
  inodot: 'ı',
  imath: 'ı',
  szlig: 'ß',
  aelig: 'æ',
  oelig: 'œ',
  fjlig: 'fj',
};

const entity: Escape = {
  mark: '&',
  form: /&(?:#x([0-9a-f]{1,8});?|#([0-9]{1,9});?|([a-z][a-z0-9]{1,11});)/iy,
  longest: 14,
  read: ([whole, hex, decimal, name]) => {
    if (hex !== undefined) return unitOf(hex, 16);
    if (decimal !== undefined) return unitOf(decimal, 10);
    return nameOf(name ?? '') ?? whole;
  },
};

/** `&Egrave;`, `&eacute;`: the letter is in the name, and its accent would be dropped anyway. */
const accented = /^([a-z])(?:grave|acute|circ|uml|tilde|ring|cedil|caron|macr|breve|dot|ogon|slash|strok|scr|fr|opf)$/i;

function nameOf(name: string): string | undefined {
  return named[name.toLowerCase()] ?? accented.exec(name)?.[1];
}

const simple: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v' };

const backslash: Escape = {
  mark: '\\',
  form: /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\}|([0-3][0-7]{2})|([^0-9xu]))/iy,
  longest: 10,
  read: ([, byte, unit, point, octal, other]) => {
    if (byte !== undefined) return Number.parseInt(byte, 16);
    if (octal !== undefined) return Number.parseInt(octal, 8);
    if (other !== undefined) return simple[other] ?? other;
    return unitOf(unit ?? point ?? '', 16);
  },
};

const quoted: Escape = {
  mark: '=',
  form: /=(?:([0-9a-f]{2})|[ \t]{0,8}\r?\n)/iy,
  longest: 11,
  read: ([, byte]) => (byte === undefined ? '' : Number.parseInt(byte, 16)),
};

/** A half of a surrogate pair stays one: its other half follows. Past Unicode's end there is nothing to see. */
function unitOf(digits: string, base: 10 | 16): string {
  const code = Number.parseInt(digits, base);
  return code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
}

export const unwrapPercent = (): Unwrapper => new EscapeUnwrapper(percent);
export const unwrapEntities = (): Unwrapper => new EscapeUnwrapper(entity);
export const unwrapBackslashes = (): Unwrapper => new EscapeUnwrapper(backslash);
export const unwrapQuotedPrintable = (): Unwrapper => new EscapeUnwrapper(quoted);

class EscapeUnwrapper implements Unwrapper {
  readonly #escape: Escape;
  readonly #bytes = new ByteText();
  #held = '';

  constructor(escape: Escape) {
    this.#escape = escape;
  }

  push(piece: string): string {
    return this.#unwrap(this.#held + piece, this.#escape.longest);
  }

  end(): string {
    return this.#unwrap(this.#held, 0) + this.#bytes.end();
  }

  /** Marks among the last `keep` units that begin no whole escape are held back. */
  #unwrap(text: string, keep: number): string {
    const { mark, form, read } = this.#escape;
    let plain = '';
    let from = 0;
    this.#held = '';
    for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at)) {
      const nearEnd = at > text.length - keep;
      form.lastIndex = at;
      const match = form.exec(text);
      // What has matched up to the very end could still grow: `&#69` into `&#690;`.
      if (nearEnd && (match === null || form.lastIndex === text.length)) {
        this.#held = text.slice(at);
        text = text.slice(0, at);
        break;
      }
      if (match === null) {
        at++;
        continue;
      }
      if (at > from) plain += this.#bytes.end() + text.slice(from, at);
      const value = read(match);
      plain += typeof value === 'number' ? this.#bytes.add(value) : this.#bytes.end() + value;
      from = at = form.lastIndex;
    }
    if (from < text.length) plain += this.#bytes.end() + text.slice(from);
    return plain;
  }
}
