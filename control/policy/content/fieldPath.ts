// Names a place in a document (`to`, `items[*].amount`, `a.b[0].c`) and finds everything that stands there.

import type { DocumentNode } from './document.ts';

export type Step =
  | { readonly kind: 'name'; readonly name: string; readonly folded: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'every' };

export interface FieldPath {
  readonly text: string;
  readonly steps: readonly Step[];
}

export interface PathFault {
  readonly fault: string;
}

/** What stands at a path. */
export interface Selected {
  /** Null: nothing does. */
  readonly node: DocumentNode | null;
  /** `variant`: its key differs in case or width from the path's, and a reader may take it for the one. */
  readonly key: 'exact' | 'variant';
}

const form = /\.?([^.[\]\s\p{Cc}]+)|\[(0|[1-9]\d{0,8}|\*)\]/uy;

export function compilePath(text: string): FieldPath | PathFault {
  const steps: Step[] = [];
  form.lastIndex = 0;
  while (form.lastIndex < text.length) {
    const isFirst = form.lastIndex === 0;
    const hasDot = text[form.lastIndex] === '.';
    const [, name, index] = form.exec(text) ?? [];
    if (name !== undefined && hasDot !== isFirst) steps.push({ kind: 'name', name, folded: foldKey(name) });
    else if (index !== undefined)
      steps.push(index === '*' ? { kind: 'every' } : { kind: 'index', index: Number(index) });
    else return { fault: `a path is names, dots, [n] and [*], found "${text}"` };
  }
  return steps.length > 0 ? { text, steps } : { fault: 'a path is empty' };
}

/**
 * Everything at `path`, and one entry without a node for each place where it leads nowhere. A name is looked up among
 * an object's own keys and, in a list, in every element: a sender that wraps an object in a list escapes nothing.
 */
export function select(document: DocumentNode, path: FieldPath): readonly Selected[] {
  let found: Selected[] = [{ node: document, key: 'exact' }];
  for (const step of path.steps) found = found.flatMap((at) => follow(at, step));
  return found.flatMap(readingsOf);
}

function follow(at: Selected, step: Step): readonly Selected[] {
  const { node, key } = at;
  if (node === null) return [at];
  if (node.kind === 'several') return node.readings.flatMap((reading) => follow({ node: reading, key }, step));
  switch (step.kind) {
    case 'name':
      if (node.kind === 'array') return listed(node.items, key, (item) => follow({ node: item, key }, step));
      return node.kind === 'object' ? named(node.entries, step, key) : [{ node: null, key }];
    case 'index':
      return node.kind === 'array' ? [{ node: node.items[step.index] ?? null, key }] : [{ node: null, key }];
    case 'every':
      // One that stands alone where a list is meant is the only element: some readers take either.
      if (node.kind === 'array') return listed(node.items, key, (item) => [{ node: item, key }]);
      // A list with names instead of numbers is one to many readers; what it holds is judged beside it.
      return node.kind === 'object' ? [at, ...[...node.entries.values()].map((item) => variantOf(item))] : [at];
  }
}

function variantOf(node: DocumentNode): Selected {
  return { node, key: 'variant' };
}

function listed(
  items: readonly DocumentNode[],
  key: Selected['key'],
  each: (item: DocumentNode) => readonly Selected[],
): readonly Selected[] {
  return items.length === 0 ? [{ node: null, key }] : items.flatMap(each);
}

function named(
  entries: ReadonlyMap<string, DocumentNode>,
  step: Extract<Step, { kind: 'name' }>,
  key: Selected['key'],
): readonly Selected[] {
  const found: Selected[] = [{ node: entries.get(step.name) ?? null, key }];
  for (const [name, node] of entries) {
    if (name !== step.name && isVariant(name, step.folded)) found.push({ node, key: 'variant' });
  }
  return found;
}

function isVariant(name: string, folded: string): boolean {
  const isPlain = name.length === folded.length && name.toLowerCase() === folded;
  return isPlain || (/[^\x21-\x7e]/.test(name) && foldKey(name) === folded);
}

function foldKey(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{Default_Ignorable_Code_Point}\p{Cc}]/gu, '');
}

function readingsOf(at: Selected): readonly Selected[] {
  const { node, key } = at;
  return node?.kind === 'several' ? node.readings.flatMap((reading) => readingsOf({ node: reading, key })) : [at];
}
