// The export's form: one event per line as JSON, its proofs beside it.

import { eventTypes, type EventType } from '../../core/audit.ts';
import { isIntentId } from '../../core/ids.ts';
import type { ExportedEvent } from './verify.ts';

/** Longer than any line that Gate writes; a longer one is not read into memory. */
export const maxLineLength = 1024 * 1024;

export function writeLine(event: ExportedEvent): string {
  const { seq, at, type, intent, actor, actorId, metadata, leaf, link, mac } = event;
  return visible({
    seq,
    createdAt: new Date(at).toISOString(),
    eventType: type,
    intentId: intent,
    actor,
    actorId,
    // As text: the exact bytes that were hashed.
    metadata,
    leaf,
    link,
    hmac: mac,
  });
}

/** JSON in which what could act on a terminal is escaped, as JSON allows it to be. */
function visible(event: object): string {
  const escape = (found: string) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(event).replace(/[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, escape);
}

/** null when the line is not an event of this form. */
export function readLine(line: string): ExportedEvent | null {
  if (line.length > maxLineLength) return null;
  const found = parsed(line);
  if (found === null) return null;
  const { seq, createdAt, eventType, intentId, actor, actorId, metadata, leaf, link, hmac: mac } = found;
  const at = Date.parse(String(createdAt));
  const texts = [actor, metadata, leaf, link, mac].every((value) => typeof value === 'string');
  if (typeof seq !== 'number' || !Number.isSafeInteger(at) || !texts || !isType(eventType)) return null;
  if (intentId !== null && (typeof intentId !== 'string' || !isIntentId(intentId))) return null;
  if (actorId !== null && typeof actorId !== 'string') return null;
  const event: ExportedEvent = {
    seq,
    at,
    type: eventType,
    intent: intentId,
    actor: String(actor),
    actorId,
    metadata: String(metadata),
    leaf: String(leaf),
    link: String(link),
    mac: String(mac),
  };
  // Anything more, twice, or written otherwise would be shown to a reader and proven by nobody.
  return writeLine(event) === line ? event : null;
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

function isType(text: unknown): text is EventType {
  return eventTypes.some((type) => type === text);
}
