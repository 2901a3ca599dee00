// Looks for terms in every text that a given one may be the wrapping of: each unwrapping, and each two in a row.

import { sliceEnd } from '../../../core/text.ts';
import { unwrapBase64 } from './base64.ts';
import { Breath } from './breathe.ts';
import { unwrapMarkup } from './markup.ts';
import type { TermSearch, TermSet } from './terms.ts';
import { unwrapBackslashes, unwrapEntities, unwrapPercent, unwrapQuotedPrintable, type Unwrapper } from './unwrap.ts';

interface Wrapping {
  readonly unwrap: () => Unwrapper;
  /** A character that the wrapped text must have; without it the view would equal the text. */
  readonly sign: RegExp;
}

const wrappings: readonly Wrapping[] = [
  { unwrap: unwrapPercent, sign: /%/ },
  { unwrap: unwrapEntities, sign: /&/ },
  { unwrap: unwrapBackslashes, sign: /\\/ },
  { unwrap: unwrapMarkup, sign: /</ },
  { unwrap: unwrapQuotedPrintable, sign: /=/ },
  { unwrap: unwrapBase64, sign: /[A-Z0-9+/_-]/ },
];

/** Units unwrapped at a time. */
const slice = 4 * 1024;

/**
 * The first term found, as written, in any of `texts`, each judged for itself; null when there is none. A text is
 * passed over at most 43 times: as it is, by six unwrappings and by any two of them, and mostly once or twice.
 */
export async function findTerm(terms: TermSet, texts: Iterable<string>): Promise<string | null> {
  const search = terms.search();
  const breath = new Breath();
  for (const text of texts) {
    const term = text.length <= slice ? findInShort(search, text, breath) : await findInLong(search, text, breath);
    if (term !== null) return term;
    // Starting on a text is work, however short it is.
    if (breath.isDue(16)) await breath.take();
  }
  return null;
}

function findInShort(search: TermSearch, text: string, breath: Breath): string | null {
  for (const view of viewsOf(text, search)) {
    const before = search.spent;
    const term = view.push(text) ?? view.end();
    if (term !== null) return term;
    breath.isDue(text.length + search.spent - before);
  }
  return null;
}

async function findInLong(search: TermSearch, text: string, breath: Breath): Promise<string | null> {
  for (const view of viewsOf(text, search)) {
    for (let from = 0; from < text.length;) {
      const to = sliceEnd(text, from, slice);
      const before = search.spent;
      const term = view.push(text.slice(from, to));
      if (term !== null) return term;
      if (breath.isDue(to - from + search.spent - before)) await breath.take();
      from = to;
    }
    const term = view.end();
    if (term !== null) return term;
  }
  return null;
}

/** The views worth making. Each must have been read to its end before the next is asked for. */
function* viewsOf(text: string, search: TermSearch): Generator<View> {
  const plain = new View([], search);
  yield plain;
  for (const outer of wrappings) {
    if (!outer.sign.test(text)) continue;
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
