// The one encoding that is ever hashed: versioned, every field length-prefixed, so no two values share their bytes.

const utf8 = new TextEncoder();

export type Field = string | Uint8Array | number | null;

/**
 * Encodes a list of fields as `label ‖ count ‖ (tag ‖ length ‖ bytes)*`, all lengths big-endian 32-bit.
 * Tags keep null apart from the empty string, and numbers (safe integers only) apart from their digits.
 * `label` names the use and its version, e.g. `gate-request-1`, so that one use can never stand for another.
 */
export function encodeFields(label: string, fields: readonly Field[]): Uint8Array<ArrayBuffer> {
  const parts = [encodeField(label), uint32(fields.length), ...fields.map(encodeField)];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function encodeField(field: Field): Uint8Array {
  if (field === null) return tagged(0, new Uint8Array(0));
  if (typeof field === 'string') return tagged(1, utf8.encode(field));
  if (typeof field === 'number') return tagged(2, utf8.encode(integer(field)));
  return tagged(3, field);
}

function tagged(tag: number, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(5 + bytes.length);
  out[0] = tag;
  out.set(uint32(bytes.length), 1);
  out.set(bytes, 5);
  return out;
}

function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new Error(`Cannot encode a number: a safe integer needed, found ${value}`);
  return String(value);
}

function uint32(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
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
