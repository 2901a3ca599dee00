// The life of a request, top to bottom: every door's requests pass here, and nothing else reaches the dialler.

import { linesOf, resolve, type Destinations, type Resolved } from '../config/destinations.ts';
import type { PassedRequest } from '../control/permit.ts';
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
  const record = openRecord(arrival, floor.newRequestId());
  const { gate } = floor;
  const read = arrival.tunnelSni === 'agrees' ? readHead(arrival) : refuse('authority_mismatch', 'SNI differs');
  const head = isRefusal(read) || read.door !== 'reverse' ? read : addressReverse(read, floor.destinations());
  if (isRefusal(head)) {
    // Where a request cannot be read for certain, neither can the one behind it (RFC 9112 §6.3).
    arrival.endConnection();
    return turnAway(head, record, gate);
  }
  notePlace(record, head.authority.host, head.target);

  const agent = gate.identify(keyOf(arrival));
  if (isRefusal(agent)) return turnAway(asDoorSays(agent, arrival), record, gate);
  record.agent = agent;

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

  const body = await readBody(arrival, head.framing, entry.maxBodyBytes, floor.budget);
  if (isRefusal(body)) return turnAway(body, record, gate);
  try {
    const request = sealOf(head, agent, resolved, body.bytes);
    record.policy = request.facts.policy;
    if (mode === 'observe') {
      return await performPassed(await gate.observe(request, record.requestId), record, floor.dialler);
    }
    const delivery = head.gate.replay === 'yes' ? 'replay' : 'connection';
    const named = head.gate.intentId;
    const settled =
      named === null
        ? await gate.propose(request, { idempotent: entry.idempotent, delivery })
        : await gate.resume(named, request);
    // Whoever waits does so on the stored intent: the bytes are in the store, and need not be in memory too.
    if (settled.next === 'wait') body.release();
    await carryOut(settled, waitingOf(head, entry, floor.holdTimeoutMs), record, floor);
  } finally {
    body.release();
  }
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
