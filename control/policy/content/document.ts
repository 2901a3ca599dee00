// A body as fields: what JSON, forms and multipart bodies are all read into.

import type { JsonNode } from './json.ts';

/** `several`: a name that stands more than once, or a value that can be read in two ways; each is judged. */
export type DocumentNode =
  | Exclude<JsonNode, { kind: 'object' | 'array' }>
  | { readonly kind: 'object'; readonly entries: ReadonlyMap<string, DocumentNode> }
  | { readonly kind: 'array'; readonly items: readonly DocumentNode[] }
  | { readonly kind: 'several'; readonly readings: readonly DocumentNode[] };

/** Every key and every string of it. Not recursive, so that depth costs no stack. */
export function* stringsOf(document: DocumentNode): Generator<string> {
  const open: DocumentNode[] = [document];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    switch (node.kind) {
      case 'string':
        yield node.text;
        break;
      case 'object':
        for (const [key, value] of node.entries) {
          yield key;
          open.push(value);
        }
        break;
      case 'array':
        for (const item of node.items) open.push(item);
        break;
      case 'several':
        for (const reading of node.readings) open.push(reading);
        break;
      case 'number':
      case 'true':
      case 'false':
      case 'null':
        break;
    }
  }
}
