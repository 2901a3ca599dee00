// Finds blocked terms: one automaton over the normalised alphabet, one pass, at a cost that does not grow with the terms.

import { digitLetters, letterReadings, symbolReadings } from '../../../core/lookAlikes.ts';
import { gap, loneDigit, normalise, Normaliser, sliceEnd, sliceLength } from '../../../core/text.ts';

export interface TermSet {
  /** The term as written, or null. Looks at the text as it stands: what it may hide in, `findTerm` unwraps. */
  find(text: string): string | null;
  /** The same for a text that comes in pieces, none of which ends inside a surrogate pair. */
  search(): TermSearch;
}

export interface TermSearch {
  /** Units of normalised text looked at so far: what was spent, which a short text can make much of. */
  readonly spent: number;
  push(piece: string): string | null;
  /** The text is over; the next piece begins another. */
  end(): string | null;
}

/** A term without a letter or digit could never be found: says so, or null. */
export function termFault(term: string): string | null {
  if (patternsOf(term).length > 0) return null;
  return `a term needs a letter or a digit, found "${term}"`;
}

/** Throws for a term with a `termFault`. */
export function compileTerms(terms: readonly string[]): TermSet {
  for (const term of terms) {
    const fault = termFault(term);
    if (fault !== null) throw new Error(`Cannot compile terms: ${fault}`);
  }
  const automaton = build(terms);
  const search = () => new Search(automaton, terms);
  const own = search();
  return { search, find: (text) => own.push(text) ?? own.end() };
}

/** Classes of the alphabet; 64 per state so that a state's row is found by a shift. */
const classBits = 6;
const spaceClass = 0;
const nibbleClass = 37;
const otherClass = 63;
const firstAmbiguous = 64;
const nothing = -1;

const classes = new Uint8Array(256).fill(otherClass);
/** What each ambiguous class may be: classes, or `nothing`. */
const readings: (readonly number[])[] = [];
classes[0x20] = spaceClass;
for (let unit = 0x61; unit <= 0x7a; unit++) classes[unit] = 1 + unit - 0x61;
for (let unit = 0x30; unit <= 0x39; unit++) classes[unit] = 27 + unit - 0x30;
addAmbiguous(gap, [spaceClass, nothing]);
for (const [sign, letters] of Object.entries(letterReadings)) addAmbiguous(sign.charCodeAt(0), classesOf(letters));
for (const [sign, letters] of Object.entries(symbolReadings)) {
  addAmbiguous(sign.charCodeAt(0), [...classesOf(letters), spaceClass, nothing]);
}
for (let value = 0; value < 10; value++) {
  const letter = digitLetters.charAt(value);
  addAmbiguous(loneDigit + value, classesOf(value + (letterReadings[letter] ?? letter)));
}

function addAmbiguous(unit: number, may: readonly number[]): void {
  classes[unit] = firstAmbiguous + readings.length;
  readings.push(may);
}

/** Each plain class as the only reading of its sign. */
const single: readonly (readonly number[])[] = Array.from({ length: otherClass }, (_, kind) => [kind]);

function classesOf(characters: string): number[] {
  return [...characters].map((character) => classes[character.charCodeAt(0)] ?? otherClass);
}

/** Rows of 64 next states, already shifted; where a term ends, the complement of its index stands instead. */
interface Automaton {
  readonly next: Int32Array;
  readonly start: number;
}

function build(terms: readonly string[]): Automaton {
  const patterns = terms.flatMap((term, index) => patternsOf(term).map((classes) => ({ classes, index })));
  const size = 2 + patterns.reduce((sum, { classes }) => sum + classes.length, 0);
  const next = new Int32Array(size << classBits);
  const accepts = new Int32Array(size).fill(-1);
  const endsInSpace = new Uint8Array(size);
  let states = 1;
  const grow = (from: number, kind: number) => {
    const at = (from << classBits) | kind;
    if (next[at] === 0) {
      endsInSpace[states] = kind === spaceClass ? 1 : 0;
      next[at] = states++;
    }
    return next[at] ?? 0;
  };
  const start = grow(0, spaceClass);
  for (const { classes, index } of patterns) {
    const last = classes.reduce(grow, 0);
    if (accepts[last] === -1) accepts[last] = index;
  }
  link(next, states, accepts, endsInSpace);
  return {
    next: next.subarray(0, states << classBits).map((state) => shifted(state, accepts)),
    start: start << classBits,
  };
}

function shifted(state: number, accepts: Int32Array): number {
  const term = accepts[state] ?? -1;
  return term === -1 ? state << classBits : ~term;
}

/** Breadth first: a missing edge becomes that of the longest suffix, and spaces in a row are one space. */
function link(next: Int32Array, states: number, accepts: Int32Array, endsInSpace: Uint8Array): void {
  const suffix = new Int32Array(states);
  const queue: number[] = [];
  for (let kind = 0; kind < otherClass; kind++) if (next[kind] !== 0) queue.push(next[kind] ?? 0);
  for (const state of queue) {
    const back = suffix[state] ?? 0;
    if (accepts[state] === -1) accepts[state] = accepts[back] ?? -1;
    for (let kind = 0; kind <= otherClass; kind++) {
      const at = (state << classBits) | kind;
      const fallback = next[(back << classBits) | kind] ?? 0;
      if (next[at] === 0) next[at] = fallback;
      else {
        suffix[next[at] ?? 0] = fallback;
        queue.push(next[at] ?? 0);
      }
    }
    if (endsInSpace[state] === 1) next[state << classBits] = state;
  }
}

/** Readings of one term beyond this many are not worked out: its first stands, and finds the term as it is written. */
const mostReadings = 64;

/** The term as sequences of classes, a space at either end; one for each reading of its letters. */
function patternsOf(term: string): readonly (readonly number[])[] {
  const normal = normalise(term)
    .replaceAll('~', ' ')
    .replace(/[!\s]+(?=\s|$)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (!/[^\s!@$+%^]/.test(normal)) return [];
  let patterns: number[][] = [[spaceClass]];
  for (let at = 0; at < normal.length; at++) {
    const steps = stepsOf(normal.charCodeAt(at));
    const kept = patterns.length * steps.length > mostReadings ? steps.slice(0, 1) : steps;
    patterns = kept.flatMap((step) => patterns.map((pattern) => [...pattern, ...step]));
  }
  return patterns.map((pattern) => [...pattern, spaceClass]);
}

function stepsOf(unit: number): readonly (readonly number[])[] {
  const kind = unit < 256 ? (classes[unit] ?? otherClass) : otherClass;
  if (kind === otherClass) return [nibbles(unit)];
  if (kind < firstAmbiguous) return [[kind]];
  const letters = (readings[kind - firstAmbiguous] ?? []).filter((may) => may !== nothing && may !== spaceClass);
  return letters.map((may) => [may]);
}

/** Any other unit is four steps of four bits, so that the alphabet stays small whatever script the terms are in. */
function nibbles(unit: number): readonly number[] {
  return [unit >> 12, (unit >> 8) & 15, (unit >> 4) & 15, unit & 15].map((value) => nibbleClass + value);
}

class Search implements TermSearch {
  readonly #automaton: Automaton;
  readonly #terms: readonly string[];
  readonly #normaliser = new Normaliser();
  /** More than one only where signs with several readings stood; the automaton's size bounds them, not the text's. */
  #states: number[];
  #reached: number[] = [];
  spent = 0;

  constructor(automaton: Automaton, terms: readonly string[]) {
    this.#automaton = automaton;
    this.#terms = terms;
    this.#states = [automaton.start];
  }

  push(piece: string): string | null {
    for (let from = 0; from < piece.length;) {
      const to = sliceEnd(piece, from, sliceLength);
      const term = this.#walk(this.#normaliser.push(piece, from, to));
      if (term !== null) return term;
      from = to;
    }
    return null;
  }

  end(): string | null {
    const term = this.#walk(this.#normaliser.end()) ?? this.#spread([spaceClass]);
    this.#states = [this.#automaton.start];
    return term;
  }

  #walk(length: number): string | null {
    const { next } = this.#automaton;
    const { units } = this.#normaliser;
    this.spent += length;
    let at = 0;
    while (at < length) {
      if (this.#states.length === 1) {
        let state = this.#states[0] ?? 0;
        for (; at < length; at++) {
          const unit = units[at] ?? 0;
          const kind = unit < 256 ? (classes[unit] ?? otherClass) : otherClass;
          if (kind > otherClass) break;
          if (kind === otherClass) {
            for (let shift = 12; shift > 0; shift -= 4)
              state = next[state | (nibbleClass + ((unit >> shift) & 15))] ?? 0;
            state = next[state | (nibbleClass + (unit & 15))] ?? 0;
          } else state = next[state | kind] ?? 0;
          if (state < 0) return this.#found(state);
        }
        this.#states[0] = state;
        if (at === length) return null;
      }
      const term = this.#ambiguous(units[at++] ?? 0);
      if (term !== null) return term;
    }
    return null;
  }

  #ambiguous(unit: number): string | null {
    const kind = unit < 256 ? (classes[unit] ?? otherClass) : otherClass;
    if (kind >= firstAmbiguous) return this.#spread(readings[kind - firstAmbiguous] ?? []);
    if (kind < otherClass) return this.#spread(single[kind] ?? []);
    for (const step of nibbles(unit)) this.#spread([step]);
    return null;
  }

  /** From every state by every reading. */
  #spread(may: readonly number[]): string | null {
    const { next } = this.#automaton;
    const reached = this.#reached;
    reached.length = 0;
    for (const state of this.#states) {
      for (const kind of may) {
        const to = kind === nothing ? state : (next[state | kind] ?? 0);
        if (to < 0) return this.#found(to);
        if (!reached.includes(to)) reached.push(to);
      }
    }
    this.#reached = this.#states;
    this.#states = reached;
    return null;
  }

  /** The search begins anew, so that the next text is not judged by what this one ended with. */
  #found(state: number): string | null {
    this.#normaliser.end();
    this.#states = [this.#automaton.start];
    return this.#terms[~state] ?? null;
  }
}
