// What a policy sees of a body: its kinds, every string to be judged, and its fields in every reading.

import { breathe } from './breathe.ts';
import { stringsOf, type DocumentNode } from './document.ts';
import { decodeLayers, isUndecodable, type Undecodable } from './encoding.ts';
import { documentOf, readForm, type Field } from './form.ts';
import { isJsonFault, readJson } from './json.ts';
import { kindOf, readMediaType, type Kind, type MediaType } from './mediaType.ts';
import { readMultipart, type Part } from './multipart.ts';
import { readText } from './plainText.ts';

export { isUndecodable, type Undecodable } from './encoding.ts';

export interface Content {
  /** All of these the policy must allow; more than one where declaration and bytes differ. */
  readonly kinds: readonly Kind[];
  /** Content encodings undone, the outermost first. */
  readonly layers: readonly string[];
  /** A part of it, or all, is not text: what it says cannot be judged. */
  readonly isOpaque: boolean;
  /** Every reading of the body as fields; none when it has none. Each must pass. */
  readonly documents: readonly DocumentNode[];
  /** Every key and value, header of a part, file name, and the text of what has no such parts, as it stands. */
  strings(): Iterable<string>;
  /** Texts whose every string is among the strings: for what stands across two of them, and in numbers. */
  readonly verbatim: readonly string[];
}

export interface ContentInput {
  readonly bytes: Uint8Array;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  /** Of the body decoded. */
  readonly limitBytes: number;
}

export async function readContent(input: ContentInput): Promise<Content | Undecodable> {
  const decoded = await decodeLayers(input.bytes, input.contentEncoding, input.limitBytes);
  if (isUndecodable(decoded)) return decoded;
  const outer = await readBytes(decoded.bytes, input.contentType, 0);
  if (isUndecodable(outer)) return outer;
  const inner = decoded.hidden === null ? null : await readBytes(decoded.hidden, null, 0);
  if (inner !== null && isUndecodable(inner)) return inner;
  const readings = inner === null ? [outer] : [outer, inner];
  return {
    kinds: outer.kinds,
    layers: decoded.layers,
    isOpaque: (inner ?? outer).isOpaque,
    documents: readings.flatMap(({ documents }) => documents),
    verbatim: readings.flatMap(({ verbatim }) => verbatim),
    *strings() {
      for (const { texts, documents } of readings) {
        yield* texts;
        for (const document of documents) yield* stringsOf(document);
      }
    },
  };
}

interface Reading {
  readonly kinds: readonly Kind[];
  readonly isOpaque: boolean;
  readonly texts: readonly string[];
  readonly verbatim: readonly string[];
  readonly documents: readonly DocumentNode[];
}

const empty = { isOpaque: false, texts: [], verbatim: [], documents: [] };
const deepestParts = 2;
const largeBytes = 1 << 20;

/** `depth`: how many multipart bodies it lies in. */
async function readBytes(bytes: Uint8Array, contentType: string | null, depth: number): Promise<Reading | Undecodable> {
  const type = readMediaType(contentType);
  if (type === null) return { undecodable: 'the media type is malformed' };
  const { declared, sniffed } = kindOf(contentType, bytes);
  // Looking at every byte, and what follows, are each a slice of their own.
  if (bytes.length > largeBytes) await breathe();
  if (bytes.length === 0) return { ...empty, kinds: [declared ?? 'text'] };
  if (declared === 'multipart') return readParts(bytes, type, depth);

  const charset = type.parameters.get('charset') ?? null;
  if (declared === 'json' && !/^(?:utf-?8|us-ascii)$/i.test(charset ?? 'utf-8')) {
    return { undecodable: 'JSON is not in UTF-8' };
  }
  const plain = await readText(bytes, charset);
  if (isUndecodable(plain)) return plain;
  const [text] = plain.texts;
  if (!plain.isExact && (declared === 'json' || declared === 'form')) return { undecodable: 'the body is not UTF-8' };
  // UTF-16 looks binary until it is read.
  const isOpaque = sniffed === 'binary' && (!plain.isExact || /[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text));

  const json = await readAsJson(text, declared);
  if (json !== null && isUndecodable(json)) return json;
  // Readers that look at no type take the JSON at the start and leave the rest.
  if (declared === 'form' && json === null && /^\s*[[{]/.test(text)) return { undecodable: 'a form begins like JSON' };
  const form = await readAsForm(text, declared, sniffed);
  if (form !== null && isUndecodable(form)) return form;
  // Some readers part the fields at semicolons too.
  const parted =
    form !== null && text.includes(';') ? await readAsForm(text.replaceAll(';', '&'), declared, sniffed) : null;
  if (parted !== null && isUndecodable(parted)) return parted;
  const markup = declared === 'xml' || (declared === null && sniffed === 'xml') ? xmlFault(text) : null;
  if (markup !== null) return markup;
  const documents = [json, form, parted].filter((document) => document !== null);
  const kinds = judgedKinds(declared, isOpaque ? 'binary' : sniffed, json === null ? 'other' : 'json');
  // Who is told that it is JSON reads the strings of it; who is not may read across them.
  if (declared === 'json' && json !== null) return { kinds, isOpaque, texts: [], verbatim: plain.texts, documents };
  return { kinds, isOpaque, texts: plain.texts, verbatim: [], documents };
}

/** Whatever is declared: a reader that does not look at the type finds the JSON all the same. */
async function readAsJson(text: string, declared: Kind | null): Promise<DocumentNode | Undecodable | null> {
  const isMarked = text.startsWith('\ufeff');
  if (declared !== 'json' && !/^\ufeff?\s*[[{"]/.test(text)) return null;
  const read = await readJson(isMarked && declared !== 'json' ? text.slice(1) : text);
  if (!isJsonFault(read)) return isMarked ? { undecodable: 'JSON begins with a byte order mark' } : read;
  return declared === 'json' || read.fault === 'refused'
    ? { undecodable: `the JSON cannot be judged: ${read.why}` }
    : null;
}

async function readAsForm(
  text: string,
  declared: Kind | null,
  sniffed: Kind,
): Promise<DocumentNode | Undecodable | null> {
  if (declared !== 'form' && (declared !== null || sniffed !== 'form')) return null;
  const fields = readForm(text);
  if (isUndecodable(fields)) return declared === 'form' ? fields : null;
  return documentOf(fields);
}

/** Entities are never resolved: a document that defines its own says something else to a reader that does. */
function xmlFault(text: string): Undecodable | null {
  if (/<!DOCTYPE(?!\s+html\s*>)/i.test(text)) return { undecodable: 'the XML has a document type of its own' };
  const encoding = /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([^"']*)/i.exec(text.slice(0, 1024))?.[1] ?? 'utf-8';
  return /^(?:utf-8|us-ascii)$/i.test(encoding) ? null : { undecodable: 'the XML is not in UTF-8' };
}

function judgedKinds(declared: Kind | null, sniffed: Kind, parsed: 'json' | 'other'): readonly Kind[] {
  if (parsed === 'json')
    return declared === null || /^(?:json|text|binary)$/.test(declared) ? ['json'] : [declared, 'json'];
  if (declared === null) return [sniffed === 'json' ? 'text' : sniffed];
  return sniffed === 'binary' && declared !== 'binary' ? [declared, 'binary'] : [declared];
}

async function readParts(bytes: Uint8Array, type: MediaType, depth: number): Promise<Reading | Undecodable> {
  if (depth === deepestParts)
    return { undecodable: `multipart bodies lie more than ${deepestParts} deep in each other` };
  const parts = await readMultipart(bytes, type);
  if (isUndecodable(parts)) return parts;
  const fields: Field[] = [];
  const documents: DocumentNode[] = [];
  const texts: string[] = [];
  const verbatim: string[] = [];
  let isOpaque = false;
  for (const part of parts) {
    const reading = await readBytes(part.bytes, part.contentType, depth + 1);
    if (isUndecodable(reading)) return reading;
    texts.push(part.head, ...namesOf(part), ...reading.texts);
    verbatim.push(...reading.verbatim);
    isOpaque ||= reading.isOpaque;
    if (part.name !== null) fields.push({ name: part.name, value: valueOf(reading) });
    if (part.name === null || part.contentType !== null) documents.push(...reading.documents);
  }
  if (fields.length > 0) documents.push(documentOf(fields));
  return { kinds: ['multipart'], isOpaque, texts, verbatim, documents };
}

function namesOf({ name, fileName }: Part): readonly string[] {
  return [name, fileName].filter((text) => text !== null);
}

/** A part's text, and the documents it can be read as. */
function valueOf({ texts, verbatim, documents }: Reading): DocumentNode {
  const readings: DocumentNode[] = [{ kind: 'string', text: texts[0] ?? verbatim[0] ?? '' }, ...documents];
  const [only] = readings;
  return readings.length === 1 && only !== undefined ? only : { kind: 'several', readings };
}
