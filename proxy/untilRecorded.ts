// An answer whose last byte waits for its outcome to be on record: who has the whole of it can rely on the record.

import type { Header } from '../core/facts.ts';
import type { Answer } from './arrival.ts';

/**
 * With a declared length the last piece completes the answer, with none at all the head does: that is kept back until
 * `end`. An answer in chunks is completed by its end alone and passes as it comes, stream by stream.
 */
export function untilRecorded(answer: Answer, method: string): Answer {
  let rest: (() => void) | null = null;
  let left = Infinity;
  return {
    head: (status, phrase, headers) => {
      const isEmpty = method === 'HEAD' || status === 204 || status === 304;
      left = isEmpty ? 0 : declaredLength(headers);
      const send = () => answer.head(status, phrase, headers);
      if (left === 0) rest = send;
      else send();
    },
    data: (chunk) => {
      left -= chunk.length;
      if (left > 0) return answer.data(chunk);
      const kept = Uint8Array.from(chunk);
      rest = () => void answer.data(kept);
      return true;
    },
    drained: () => answer.drained(),
    end: () => {
      rest?.();
      answer.end();
    },
    cut: () => answer.cut(),
  };
}

function declaredLength(headers: readonly Header[]): number {
  const found = headers.find(([name]) => name.toLowerCase() === 'content-length');
  return found === undefined ? Infinity : Number(found[1]);
}
