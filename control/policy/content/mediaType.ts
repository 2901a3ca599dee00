// What a body is: as its media type declares it and as its bytes look.

export type Kind = 'json' | 'form' | 'multipart' | 'csv' | 'xml' | 'text' | 'binary';

export interface MediaType {
  /** Type and subtype in small letters; empty when none was declared. */
  readonly essence: string;
  /** Names in small letters, values unquoted. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const essenceForm = new RegExp(`^[ \\t]*(${token}/${token})[ \\t]*(?=;|$)`);
const parameterForm = new RegExp(`;[ \\t]*(?:(${token})=(${token}|"(?:[^"\\\\]|\\\\.)*"))?[ \\t]*(?=;|$)`, 'y');
const longest = 1024;

/** Null for a value that readers could take in different ways: malformed, or a parameter named twice. */
export function readMediaType(value: string | null): MediaType | null {
  if (value === null) return { essence: '', parameters: new Map() };
  const [whole, essence] = (value.length > longest ? null : essenceForm.exec(value)) ?? [];
  if (whole === undefined || essence === undefined) return null;
  const parameters = new Map<string, string>();
  for (parameterForm.lastIndex = whole.length; parameterForm.lastIndex < value.length;) {
    const match = parameterForm.exec(value);
    if (match === null) return null;
    const name = match[1]?.toLowerCase();
    if (name === undefined) continue;
    if (parameters.has(name)) return null;
    parameters.set(name, unquoted(match[2] ?? ''));
  }
  return { essence: essence.toLowerCase(), parameters };
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}

/** Null when no type is declared. */
export function declaredKind({ essence }: MediaType): Kind | null {
  if (essence === '') return null;
  if (/^(application|text)\/json$|\+json$|^application\/(x-amz-json-1\.\d|json5|x-ndjson|jsonl)$/.test(essence)) {
    return /ndjson|jsonl$|json5$/.test(essence) ? 'text' : 'json';
  }
  if (essence === 'application/x-www-form-urlencoded') return 'form';
  if (essence.startsWith('multipart/')) return 'multipart';
  if (/^(text|application)\/csv$/.test(essence)) return 'csv';
  if (/^(text|application)\/xml$|\+xml$/.test(essence)) return 'xml';
  return /^text\/|^application\/(javascript|graphql|yaml|x-yaml|sql)$/.test(essence) ? 'text' : 'binary';
}

export interface Kinds {
  /** Null when nothing was declared. */
  readonly declared: Kind | null;
  /** By its look alone: `json` means that it begins like JSON, `text` that it is text of no known kind. */
  readonly sniffed: Kind;
}

/** `contentType` as sent. A malformed one declares nothing that can be relied on: binary. */
export function kindOf(contentType: string | null, bytes: Uint8Array): Kinds {
  const type = readMediaType(contentType);
  return { declared: type === null ? 'binary' : declaredKind(type), sniffed: sniff(bytes) };
}

/** Bytes looked at for the shape; whether it is text is asked of all of them. */
const shapeBytes = 4096;

function sniff(bytes: Uint8Array): Kind {
  if (isBinary(bytes)) return 'binary';
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, shapeBytes)).trimStart();
  if (/^[[{"]|^(?:-?\d[\d.eE+-]*|true|false|null)\s*$/.test(start)) return 'json';
  if (/^<(?:[?!a-z_])/i.test(start)) return 'xml';
  if (/^--[^\s-].{0,80}\r\nContent-/i.test(start)) return 'multipart';
  if (/^[^\s=&]+=[^\s&]*(?:&[^\s=&]+=[^\s&]*)*\s*$/.test(start)) return 'form';
  return isTable(start) ? 'csv' : 'text';
}

/** Text has no NUL, and hardly any other control character. */
function isBinary(bytes: Uint8Array): boolean {
  let strange = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x20) continue;
    if (byte === 0) return true;
    if (byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x0c && byte !== 0x1b) strange++;
  }
  return strange * 100 > bytes.length;
}

/** Two lines or more with the same number of commas or semicolons, and one at least. */
function isTable(text: string): boolean {
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  const counts = lines.slice(0, 5).map((line) => line.split(/[,;]/).length);
  return counts.length >= 2 && (counts[0] ?? 0) > 1 && counts.every((count) => count === counts[0]);
}
