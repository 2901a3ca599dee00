// Counts the records that a request says it is about.

import type { Content } from './content.ts';
import type { DocumentNode } from './document.ts';
import { compilePath, select, type FieldPath } from './fieldPath.ts';

/**
 * An array counts its elements (a last `.length` may be left out), a non-negative integer or its decimal string counts
 * as itself. Null for anything else, and where two readings of the body give different numbers.
 */
export function countRecords(content: Pick<Content, 'documents'>, path: FieldPath): number | null {
  const counts = new Set(content.documents.map((document) => countIn(document, path)));
  const [only] = counts;
  return counts.size === 1 && only !== undefined ? only : null;
}

function countIn(document: DocumentNode, path: FieldPath): number | null {
  const own = sum(document, path, 'anything');
  if (own !== null || !path.text.endsWith('.length')) return own;
  const list = compilePath(path.text.slice(0, -'.length'.length));
  return 'fault' in list ? null : sum(document, list, 'lists');
}

function sum(document: DocumentNode, path: FieldPath, of: 'anything' | 'lists'): number | null {
  let total = 0;
  for (const { node, key } of select(document, path)) {
    const count = node === null || key === 'variant' ? null : countOf(node, of);
    if (count === null) return null;
    total += count;
  }
  return Number.isSafeInteger(total) ? total : null;
}

function countOf(node: DocumentNode, of: 'anything' | 'lists'): number | null {
  if (node.kind === 'array') return node.items.length;
  if (of === 'lists' || (node.kind !== 'number' && node.kind !== 'string')) return null;
  const count = /^(?:0|[1-9]\d{0,15})$/.test(node.text) ? Number(node.text) : null;
  return count !== null && Number.isSafeInteger(count) ? count : null;
}
