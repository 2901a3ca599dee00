// Text as a browser would show it: comments and tags fall away, CDATA sections open.

import type { Unwrapper } from './unwrap.ts';

/** Stands where a tag stood: some tags part words and some do not. Read as a space and as nothing. */
const seam = '\u200b';

type Within = 'text' | 'comment' | 'instruction' | 'tag' | 'cdata';

const ends: Readonly<Record<Within, string>> = { text: '<', comment: '-->', instruction: '?>', tag: '>', cdata: ']]>' };

/** Longest mark that can be cut in two by the end of a piece, less one: `<![CDATA[`. */
const longestMark = 9;

export const unwrapMarkup = (): Unwrapper => new MarkupUnwrapper();

class MarkupUnwrapper implements Unwrapper {
  #within: Within = 'text';
  #held = '';

  push(piece: string): string {
    const text = this.#held + piece;
    this.#held = '';
    return this.#unwrap(text, longestMark);
  }

  end(): string {
    const text = this.#held;
    this.#held = '';
    const plain = this.#unwrap(text, 0);
    this.#within = 'text';
    return plain;
  }

  #unwrap(text: string, keep: number): string {
    let plain = '';
    let from = 0;
    for (;;) {
      const mark = ends[this.#within];
      const found = text.indexOf(mark, from);
      const isShown = this.#within === 'text' || this.#within === 'cdata';
      const isHalf = found === -1 || (this.#within === 'text' && found > text.length - keep);
      if (isHalf) {
        const half = found === -1 ? this.#half(text, from, keep) : found;
        if (isShown) plain += text.slice(from, half);
        this.#held = text.slice(half);
        return plain;
      }
      if (isShown) plain += text.slice(from, found);
      if (this.#within === 'text') {
        this.#within = beginning(text, found);
        if (this.#within === 'text') plain += '<';
        else if (this.#within === 'tag') plain += seam;
        from = found + (this.#within === 'comment' ? 4 : this.#within === 'cdata' ? longestMark : 1);
      } else {
        from = found + mark.length;
        this.#within = 'text';
      }
    }
  }

  /** Where the unfinished end of a mark may begin. */
  #half(text: string, from: number, keep: number): number {
    const longest = keep === 0 || this.#within === 'text' ? 0 : ends[this.#within].length - 1;
    return Math.max(from, text.length - longest);
  }
}

function beginning(text: string, at: number): Within {
  if (text.startsWith('<!--', at)) return 'comment';
  if (text.startsWith('<![CDATA[', at)) return 'cdata';
  if (text.startsWith('<?', at)) return 'instruction';
  return /[a-z/!]/i.test(text.charAt(at + 1)) ? 'tag' : 'text';
}
