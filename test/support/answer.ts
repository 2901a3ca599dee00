// The client's end of an exchange, written down.

import type { Answer } from '../../proxy/arrival.ts';
import type { Header } from '../../core/facts.ts';

export interface RecordedAnswer extends Answer {
  readonly status: number | null;
  readonly headers: readonly Header[];
  readonly body: string;
  readonly end: () => void;
  readonly state: 'open' | 'ended' | 'cut';
}

export function recordAnswer(): RecordedAnswer {
  let status: number | null = null;
  let headers: readonly Header[] = [];
  let body = '';
  let state: RecordedAnswer['state'] = 'open';
  return {
    get status() {
      return status;
    },
    get headers() {
      return headers;
    },
    get body() {
      return body;
    },
    get state() {
      return state;
    },
    head: (found, _phrase, lines) => {
      status = found;
      headers = lines;
    },
    data: (chunk) => {
      body += Buffer.from(chunk).toString('latin1');
      return true;
    },
    drained: async () => undefined,
    end: () => {
      state = 'ended';
    },
    cut: () => {
      state = 'cut';
    },
  };
}
