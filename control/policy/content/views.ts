// Looks for terms in every text that a given one may be the wrapping of: each unwrapping, and each two in a row.

import { sliceEnd } from '../../../core/text.ts';
import { mayHoldBase64, unwrapBase64 } from './base64.ts';
import { Breath } from './breathe.ts';
import type { Undecodable } from './encoding.ts';
import { unwrapMarkup } from './markup.ts';
import type { TermSearch, TermSet } from './terms.ts';
import { unwrapBackslashes, unwrapEntities, unwrapPercent, unwrapQuotedPrintable, type Unwrapper } from './unwrap.ts';

interface Wrapping {
  readonly unwrap: () => Unwrapper;
  /** A character that the wrapped text must have; without it the view would equal the text. */
  readonly sign: RegExp;
  /** A closer look at a whole short text that has the sign. */
  readonly isWorth?: (text: string) => boolean;
}

const wrappings: readonly Wrapping[] = [
  { unwrap: unwrapPercent, sign: /%/ },
  { unwrap: unwrapEntities, sign: /&/ },
  { unwrap: unwrapBackslashes, sign: /\\/ },
  { unwrap: unwrapMarkup, sign: /</ },
  { unwrap: unwrapQuotedPrintable, sign: /=/ },
  { unwrap: unwrapBase64, sign: /[A-Z0-9+/_-]/, isWorth: mayHoldBase64 },
];

/** Any of the signs. */
const anySign = /[%&\\<=A-Z0-9+/_-]/;

/** Units unwrapped at a time. */
const slice = 4 * 1024;

/**
 * Units looked at for one request, in all views together: about five seconds of work. Ten megabytes of honest JSON need
 * half of them; text that is escaped in every way there is would need 43 times its length.
 */
const mostUnits = 1 << 28;

export interface Texts {
  /** Each is judged for itself and as the wrapping of another text. */
  readonly strings: Iterable<string>;
  /** Judged as they stand: what they wrap is among the strings. */
  readonly verbatim: Iterable<string>;
}

/**
 * The first term found, as written; null when there is none; undecodable where looking would take too long. A text is
 * passed over at most 43 times: as it is, by six unwrappings and by any two of them, and mostly once or twice.
 */
export async function findTerm(
  terms: TermSet,
  { strings, verbatim }: Texts,
  limitUnits = mostUnits,
): Promise<string | Undecodable | null> {
  const look = new Look(terms.search(), limitUnits);
  for (const text of verbatim) {
    const term = await look.read(text, new View([], look.search));
    if (term !== null) return term;
  }
  for (const text of strings) {
    const term = text.length <= slice ? look.intoShort(text) : await look.into(text);
    if (term !== null) return term;
    // Starting on a text is work, however short it is.
    if (look.breath.isDue(16)) await look.breath.take();
  }
  return null;
}

const exhausted: Undecodable = { undecodable: 'there are too many wrappings to look through' };

/** One search through all texts of a request, and what it may still spend. */
class Look {
  readonly search: TermSearch;
  readonly breath = new Breath();
  #left: number;

  constructor(search: TermSearch, limitUnits: number) {
    this.search = search;
    this.#left = limitUnits;
  }

  async into(text: string): Promise<string | Undecodable | null> {
    for (const view of viewsOf(text, this.search)) {
      const term = await this.read(text, view);
      if (term !== null) return term;
    }
    return null;
  }

  /** Without a wait, which would weigh more than a short text. */
  intoShort(text: string): string | Undecodable | null {
    const term = this.#spend(text.length, () => this.search.push(text) ?? this.search.end());
    if (term !== null || !anySign.test(text)) return term;
    for (const view of wrappedViewsOf(text, this.search)) {
      const wrapped = this.#spend(text.length, () => view.push(text) ?? view.end());
      if (wrapped !== null) return wrapped;
    }
    return null;
  }

  /** Reads a text to its end through one view. */
  async read(text: string, view: View): Promise<string | Undecodable | null> {
    for (let from = 0; from < text.length;) {
      const to = sliceEnd(text, from, slice);
      const term = this.#spend(to - from, () => view.push(text.slice(from, to)));
      if (term !== null) return term;
      if (this.breath.isDue(0)) await this.breath.take();
      from = to;
    }
    return view.end();
  }

  /** What was found counts, though it took the last of what could be spent. */
  #spend(length: number, step: () => string | null): string | Undecodable | null {
    const before = this.search.spent;
    const term = step();
    const units = length + this.search.spent - before;
    this.breath.isDue(units);
    this.#left -= units;
    return term ?? (this.#left < 0 ? exhausted : null);
  }
}

/** The views worth making. Each must have been read to its end before the next is asked for. */
function* viewsOf(text: string, search: TermSearch): Generator<View> {
  yield new View([], search);
  yield* wrappedViewsOf(text, search);
}

function* wrappedViewsOf(text: string, search: TermSearch): Generator<View> {
  for (const outer of wrappings) {
    if (!outer.sign.test(text)) continue;
    if (text.length <= slice && outer.isWorth?.(text) === false) continue;
    const view = new View([outer], search);
    yield view;
    if (view.length === text.length) continue;
    for (const inner of view.seen) yield new View([outer, inner], search);
  }
}

/** A text on its way through unwrappings into the search. */
class View {
  /** Units that came out. Every unwrapping that finds something to do shortens the text. */
  length = 0;
  /** Wrappings whose sign came out. */
  readonly seen = new Set<Wrapping>();
  readonly #stages: readonly Unwrapper[];
  readonly #search: TermSearch;

  constructor(stages: readonly Wrapping[], search: TermSearch) {
    this.#stages = stages.map(({ unwrap }) => unwrap());
    this.#search = search;
  }

  push(piece: string): string | null {
    return this.#take(this.#stages.reduce((text, stage) => stage.push(text), piece));
  }

  end(): string | null {
    const rest = this.#stages.reduce((text, stage) => stage.push(text) + stage.end(), '');
    return this.#take(rest) ?? this.#search.end();
  }

  #take(text: string): string | null {
    if (text === '') return null;
    this.length += text.length;
    if (this.#stages.length === 1) this.#look(text);
    return this.#search.push(text);
  }

  #look(text: string): void {
    for (const wrapping of wrappings) {
      if (!this.seen.has(wrapping) && wrapping.sign.test(text)) this.seen.add(wrapping);
    }
  }
}
