// Says of a request what Gate would make of it, step by step, without doing any of it.

import {
  linesOf,
  resolve,
  type Destinations,
  type HostEntry,
  type Mode,
  type Place,
  type Resolved,
} from '../../config/destinations.ts';
import type { Judgement } from '../../core/decision.ts';
import type { Agent, Body, Header } from '../../core/facts.ts';
import { isRefusal, type Refusal } from '../../core/reasons.ts';
import { requestFacts } from '../../core/requestFacts.ts';
import { pathReadings } from '../../proxy/wire/path.ts';
import { createJudge, type Policies } from './judge.ts';

/** Where a request leads, and by which lines. */
export interface Whereabouts {
  readonly resolved: Resolved;
  /** As in destinations.yaml. */
  readonly key: string;
  /** The path below it whose entry counts; null: the host's own. */
  readonly path: string | null;
  readonly mode: Mode;
  /** Every way in which the path can be read. */
  readonly readings: readonly string[];
}

export interface ExplainedRequest {
  readonly place: Place;
  readonly does: 'read' | 'write';
  readonly method: string;
  readonly headers: readonly Header[];
  readonly body: Body;
  readonly agent: Agent;
}

export interface Explanation {
  readonly where: Whereabouts;
  /** null where the mode lets it pass or stops it unjudged. */
  readonly judgement: Judgement | null;
}

export function whereabouts(destinations: Destinations, place: Place, does: 'read' | 'write'): Whereabouts | Refusal {
  const resolved = resolve(destinations, place);
  if (isRefusal(resolved)) return resolved;
  const { host, entry } = resolved;
  const readings = pathReadings(place.target);
  const path = host.paths.find(([, below]) => below === entry)?.[0] ?? null;
  const mode = does === 'read' ? entry.reads : entry.writes;
  return { resolved, key: keyOf(host), path, mode, readings: isRefusal(readings) ? [] : readings };
}

export async function explain(
  request: ExplainedRequest,
  policies: Policies,
  destinations: Destinations,
): Promise<Explanation | Refusal> {
  const { place, does, method, headers, body, agent } = request;
  const where = whereabouts(destinations, place, does);
  if (isRefusal(where)) return where;
  if (where.mode === 'pass' || where.mode === 'block') return { where, judgement: null };
  const lines = linesOf(where.resolved);
  const facts = requestFacts({ agent, lines, method, target: place.target, headers, body });
  return { where, judgement: await createJudge(() => policies)(facts, null) };
}

/** The host's key in destinations.yaml. */
export function keyOf(host: HostEntry): string {
  if (host.match === 'any') return '__default__';
  const name = host.host.includes(':') ? `[${host.host}]` : host.host;
  return `${host.match === 'below' ? '*.' : ''}${name}${host.port === null ? '' : `:${host.port}`}`;
}
