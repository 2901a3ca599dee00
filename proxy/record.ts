// A request's record: opened before the first check, so that every refusal, however early, has a place to go.

import type { RefusedRequest } from '../control/ports.ts';
import type { Agent } from '../core/facts.ts';
import type { Refusal } from '../core/reasons.ts';
import type { Arrival } from './arrival.ts';

export interface RequestRecord {
  readonly arrival: Arrival;
  readonly requestId: string;
  /** Who it is, asked anew: a key may have been revoked since. */
  identify(): Agent | Refusal;
  /** Filled in as the request is understood. */
  agent: Agent | null;
  host: string | null;
  path: string | null;
  destination: string | null;
  policy: string | null;
}

/** More of a path than this is no help to a reader and room for a flood. */
const maxPath = 512;

export function openRecord(arrival: Arrival, requestId: string, identify: () => Agent | Refusal): RequestRecord {
  return { arrival, requestId, identify, agent: null, host: null, path: null, destination: null, policy: null };
}

/** Notes where the request goes; queries are left out, since they may hold secrets. */
export function notePlace(record: RequestRecord, host: string, target: string): void {
  const [path = ''] = target.split('?', 1);
  record.host = host;
  record.path = path.slice(0, maxPath);
}

export function refusedRequest(record: RequestRecord): RefusedRequest {
  const { requestId, agent, host, path, arrival } = record;
  return { requestId, source: arrival.source, agent, method: arrival.method, host, path };
}
