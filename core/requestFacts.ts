// The facts of a request over HTTP: the same whether it stands at the door or comes back from the store.

import type { Agent, Body, Facts, Header } from './facts.ts';

/** What destinations.yaml says of it, as far as facts are made of it. */
export interface DestinationLines {
  readonly destination: string;
  readonly environment: string | null;
  readonly policy: string | null;
  readonly records: number | null;
  readonly extractRecords: string | null;
  readonly maxBodyBytes: number;
}

export interface RequestParts {
  readonly agent: Agent;
  readonly lines: DestinationLines;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: Body;
}

/** No body may become more than this when decoded, whatever its own limit. */
const maxDecodedBytes = 100 * 1024 * 1024;

export function requestFacts({ agent, lines, method, target, headers, body }: RequestParts): Facts {
  return {
    agent,
    destination: { name: lines.destination, environment: lines.environment },
    policy: lines.policy,
    request: { method, target },
    body,
    contentType: valueOf(headers, 'content-type'),
    contentEncoding: valueOf(headers, 'content-encoding')?.toLowerCase() ?? null,
    recordCount: lines.records,
    extractRecords: lines.extractRecords,
    decodedLimitBytes: Math.min(8 * lines.maxBodyBytes, maxDecodedBytes),
    estimatedValueUsd: null,
    sensitivityTags: [],
    declaredEnvironment: null,
  };
}

/** All lines of a name, joined as one list (RFC 9110 §5.3): a second line can hide nothing. */
function valueOf(headers: readonly Header[], wanted: string): string | null {
  const found = headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
  return found.length === 0 ? null : found.join(', ');
}
