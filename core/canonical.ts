// The one encoding that is ever hashed: versioned, every field length-prefixed, so no two values share their bytes.

const utf8 = new TextEncoder();

export type Field = string | Uint8Array | number | null;

/**
 * Encodes a list of fields as `label ‖ count ‖ (tag ‖ length ‖ bytes)*`, all lengths big-endian 32-bit.
 * Tags keep null apart from the empty string, and numbers (safe integers only) apart from their digits.
 * `label` names the use and its version, e.g. `gate-request-1`, so that one use can never stand for another.
 */
export function encodeFields(label: string, fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  // UTF-8 takes at most three bytes for a UTF-16 unit; one allocation, cut to size at the end.
  const most = fields.reduce<number>(
    (sum, field) => sum + headLength + mostBytes(field),
    headLength + 3 * label.length,
  );
  const bytes = new Uint8Array(most + countLength);
  let offset = writeField(bytes, 0, label);
  offset = writeUint32(bytes, offset, fields.length);
  for (const field of fields) offset = writeField(bytes, offset, field);
  return bytes.subarray(0, offset);
}

const headLength = 5;
const countLength = 4;
const maxDigits = 17;

function mostBytes(field: Field): number {
  if (field === null) return 0;
  if (typeof field === 'number') return maxDigits;
  return typeof field === 'string' ? 3 * field.length : field.length;
}

/** Tag, length, bytes; returns where the next one begins. */
function writeField(bytes: Uint8Array, offset: number, field: Field): number {
  const start = offset + headLength;
  const length = writeContent(bytes, start, field);
  bytes[offset] = tagOf(field);
  writeUint32(bytes, offset + 1, length);
  return start + length;
}

function writeContent(bytes: Uint8Array, start: number, field: Field): number {
  if (field === null) return 0;
  if (field instanceof Uint8Array) {
    bytes.set(field, start);
    return field.length;
  }
  const text = typeof field === 'number' ? integer(field) : field;
  return utf8.encodeInto(text, bytes.subarray(start)).written;
}

function tagOf(field: Field): number {
  if (field === null) return 0;
  if (typeof field === 'string') return 1;
  return typeof field === 'number' ? 2 : 3;
}

function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new Error(`Cannot encode a number: a safe integer needed, found ${value}`);
  return String(value);
}

function writeUint32(bytes: Uint8Array, offset: number, value: number): number {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = (value >>> 16) & 255;
  bytes[offset + 2] = (value >>> 8) & 255;
  bytes[offset + 3] = value & 255;
  return offset + countLength;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** JSON text with sorted keys: the same value always gives the same text. Never fed with untrusted depth. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] ?? null)}`);
  return `{${members.join(',')}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
