// The life of a request, top to bottom: every door's requests pass here, and nothing else reaches the dialler.

import { linesOf, resolve, type Destinations, type Resolved } from '../config/destinations.ts';
import type { PassedRequest, ReadPermit } from '../control/permit.ts';
import type { Settled } from '../control/ports.ts';
import type { Agent } from '../core/facts.ts';
import { isRefusal, refuse, type Refusal } from '../core/reasons.ts';
import { requestFacts } from '../core/requestFacts.ts';
import type { SealedRequest } from '../core/sealed.ts';
import type { Arrival } from './arrival.ts';
import { readBody, type Budget } from './body.ts';
import { carryOut, performPassed, turnAway, type Performer } from './carryOut.ts';
import { proxyKey } from './credential.ts';
import { waitingOf } from './waiting.ts';
import { addressReverse, reverseKey } from './reverse.ts';
import { notePlace, openRecord, type RequestRecord } from './record.ts';
import { bodyOf, seal } from './seal.ts';
import { endToEnd } from './wire/endToEnd.ts';
import { readHead, type Head } from './wire/head.ts';
import { isRead } from './wire/reads.ts';

export interface Floor extends Performer {
  readonly destinations: () => Destinations;
  readonly budget: Budget;
  readonly newRequestId: () => string;
  /** The longest that any client is held. */
  readonly holdTimeoutMs: number;
}

/** Resolves when the request is answered and its outcome recorded; rejects only on a fault, with nothing sent. */
export async function govern(arrival: Arrival, floor: Floor): Promise<void> {
  const { gate } = floor;
  const record = openRecord(arrival, floor.newRequestId(), () => gate.identify(keyOf(arrival)));
  const read = arrival.tunnelSni === 'agrees' ? readHead(arrival) : refuse('authority_mismatch', 'SNI differs');
  const head = isRefusal(read) || read.door !== 'reverse' ? read : addressReverse(read, floor.destinations());
  if (isRefusal(head)) {
    // Where a request cannot be read for certain, neither can the one behind it (RFC 9112 §6.3).
    arrival.endConnection();
    return turnAway(head, record, gate);
  }
  notePlace(record, head.authority.host, head.target);

  const agent = record.identify();
  if (isRefusal(agent)) return turnAway(asDoorSays(agent, arrival), record, gate);
  record.agent = agent;
  if (leaksKey(head, keyOf(arrival))) return turnAway(refuse('bad_request', leak), record, gate);

  const { scheme, target } = head;
  const resolved = resolve(floor.destinations(), { scheme, target, ...head.authority });
  if (isRefusal(resolved)) return turnAway(resolved, record, gate);
  record.destination = resolved.destination;
  if (head.upgrade !== null) return turnAway(refuse('upgrade_not_allowed'), record, gate);

  const { entry } = resolved;
  const isReading = isRead(head);
  const mode = isReading ? entry.reads : entry.writes;
  if (mode === 'block') return turnAway(blockedBy(resolved), record, gate);
  if (mode === 'pass') {
    const request = passedRequest(head, resolved, arrival, record);
    const permit = await gate.pass(agent, request, isReading ? 'read' : 'write');
    if (request.body.kind === 'streamed') arrival.invite();
    return performPassed(permit, record, floor.dialler);
  }

  const judged = await judgeBody(head, agent, resolved, record, floor);
  if (isRefusal(judged)) return turnAway(judged, record, gate);
  try {
    if (judged.next === 'observe') return await performPassed(judged.permit, record, floor.dialler);
    await carryOut(judged.settled, waitingOf(head, entry, floor.holdTimeoutMs), record, floor);
  } finally {
    judged.release();
  }
}

/** `release` gives the body's bytes back to the budget, once nothing needs them any more. */
type Judged =
  | { readonly next: 'settled'; readonly settled: Settled; readonly release: () => void }
  | { readonly next: 'observe'; readonly permit: ReadPermit; readonly release: () => void };

const nothingHeld = () => undefined;

/** On its own, so that no frame holds the body of a request that waits: its bytes are in the store. */
async function judgeBody(
  head: Head,
  agent: Agent,
  resolved: Resolved,
  record: RequestRecord,
  { gate, budget }: Floor,
): Promise<Judged | Refusal> {
  const { entry } = resolved;
  const body = await readBody(record.arrival, head.framing, entry.maxBodyBytes, budget);
  if (isRefusal(body)) return body;
  // Not a closure over the body: whoever keeps it would keep the bytes.
  const { release } = body;
  try {
    const request = sealOf(head, agent, resolved, body.bytes);
    record.policy = request.facts.policy;
    if ((isRead(head) ? entry.reads : entry.writes) === 'observe') {
      return { next: 'observe', permit: await gate.observe(request, record.requestId), release };
    }
    const delivery = head.gate.replay === 'yes' ? 'replay' : 'connection';
    const named = head.gate.intentId;
    const settled =
      named === null
        ? await gate.propose(request, { idempotent: entry.idempotent, delivery })
        : await gate.resume(named, request);
    if (settled.next === 'forward') return { next: 'settled', settled, release };
    release();
    return { next: 'settled', settled, release: nothingHeld };
  } catch (fault) {
    release();
    throw fault;
  }
}

const leak = 'the key for Gate stands where it would leave';

/** Whether the agent's own Gate key would reach the upstream: in the target, or in any header line that is kept. */
function leaksKey(head: Head, key: string | null): boolean {
  if (key === null || key === '') return false;
  const shows = (text: string) => text.includes(key) || decodedBasic(text).includes(key);
  return head.target.includes(key) || endToEnd(head.headers).some(([, value]) => shows(value));
}

function decodedBasic(value: string): string {
  const [, token = ''] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(value) ?? [];
  return Buffer.from(token, 'base64').toString('latin1');
}

/** One identity per tunnel, whatever a request inside it presents. */
function keyOf({ via, tunnelKey, headers }: Arrival): string | null {
  if (via.door === 'tunnel') return tunnelKey;
  return via.door === 'reverse' ? reverseKey(headers) : proxyKey(headers);
}

/** A reverse client knows of no proxy: it is asked for a key as an API asks (401, not 407). */
function asDoorSays(refusal: Refusal, { via }: Arrival): Refusal {
  return via.door === 'reverse' && refusal.refused === 'proxy_unauthorized' ? refuse('unauthorized') : refusal;
}

/** A host that nobody listed is unknown, not blocked, though `__default__` lets it be read. */
function blockedBy({ host }: Resolved): Refusal {
  return refuse(host.match === 'any' ? 'destination_unknown' : 'destination_blocked');
}

function passedRequest(head: Head, { endpoint }: Resolved, arrival: Arrival, record: RequestRecord): PassedRequest {
  const { method, target, framing } = head;
  const bytes = framing.kind === 'length' ? framing.bytes : null;
  const hasBody = framing.kind === 'chunked' || (bytes !== null && bytes > 0);
  const body: PassedRequest['body'] = hasBody ? { kind: 'streamed', content: arrival.body, bytes } : { kind: 'none' };
  return { endpoint, method, target, headers: endToEnd(head.headers), requestId: record.requestId, body };
}

function sealOf(head: Head, agent: Agent, resolved: Resolved, bytes: Uint8Array): SealedRequest {
  const { method, target, scheme } = head;
  const headers = endToEnd(head.headers);
  const facts = requestFacts({ agent, lines: linesOf(resolved), method, target, headers, body: bodyOf(bytes) });
  const { idempotencyKey, distinct: distinctBy } = head.gate;
  const { endpoint, entry } = resolved;
  const place = { endpoint, schemeAsSent: scheme, portAsSent: head.authority.port, method, target, headers };
  return seal({ facts, ...place, idempotencyKey, distinctBy, singleFlight: entry.singleFlight }, resolved);
}
