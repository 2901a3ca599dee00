// Reads form fields: names and values as sent, and the tree that bracketed names (`items[0][amount]`) spell.

import type { DocumentNode } from './document.ts';
import type { Undecodable } from './encoding.ts';

/** One field; a multipart part may bring a value that is a document of its own. */
export interface Field {
  readonly name: string;
  readonly value: DocumentNode;
}

/** No form has so many; each costs memory many times its bytes. */
const mostFields = 10_000;
/** Deeper brackets are nobody's form. */
const deepest = 16;

/** `text` is the body. Escapes that are none (`100%`) stay as they are, bytes that are not UTF-8 are refused. */
export function readForm(text: string): readonly Field[] | Undecodable {
  if (text === '') return [];
  const fields: Field[] = [];
  for (const pair of text.split('&', mostFields + 1)) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = decode(equals === -1 ? '' : pair.slice(equals + 1));
    if (name === null || value === null) return { undecodable: 'a form field is not UTF-8' };
    if (isDoubtful(name)) return { undecodable: 'a form field has a name that readers take differently' };
    fields.push({ name, value: { kind: 'string', text: value } });
    if (fields.length > mostFields) return { undecodable: `the form has more than ${mostFields} fields` };
  }
  return fields;
}

/** Control characters, a bracket at the start, and brackets that do not pair: readers cut, rename or reorder those. */
function isDoubtful(name: string): boolean {
  return /[\0-\x1f\x7f]|^\[/.test(name) || (/[[\]]/.test(name) && !/^[^[\]]+(?:\[[^[\]]*\])+$/.test(name));
}

function decode(text: string): string | null {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced.replace(/%(?![0-9a-f]{2})/gi, '%25'));
  } catch {
    return null;
  }
}

type Building = { readonly values: DocumentNode[]; readonly children: Map<string, Building> };

/** The fields under their names, and under what their brackets spell; each value of a repeated name is kept. */
export function documentOf(fields: readonly Field[]): DocumentNode {
  const root: Building = { values: [], children: new Map() };
  for (const { name, value } of fields) {
    add(root, [name], value);
    const path = pathOf(name);
    if (path.length > 1) add(root, path, value);
  }
  return { kind: 'object', entries: entriesOf(root) };
}

function add(root: Building, path: readonly string[], value: DocumentNode): void {
  let at = root;
  for (const name of path) {
    const child: Building = at.children.get(name) ?? { values: [], children: new Map() };
    at.children.set(name, child);
    at = child;
  }
  at.values.push(value);
}

/** `a[b][]` is a, b and an element without a number. */
function pathOf(name: string): readonly string[] {
  const brackets = /^([^[\]]+)((?:\[[^[\]]*\])+)$/.exec(name);
  if (brackets === null) return [name];
  const parts = (brackets[2] ?? '').slice(1, -1).split('][');
  return parts.length > deepest ? [name] : [brackets[1] ?? '', ...parts];
}

function entriesOf(building: Building): ReadonlyMap<string, DocumentNode> {
  return new Map([...building.children].map(([name, child]) => [name, nodeOf(child)]));
}

/** `a[0]`, `a[]` make a list; readers differ on mixtures, so the other reading is kept beside it. */
function nodeOf(building: Building): DocumentNode {
  const readings = [...building.values];
  if (building.children.size > 0) {
    const items = [...building.children]
      .filter(([name]) => /^\d*$/.test(name))
      .flatMap(([, child]) => each(nodeOf(child)));
    const unnumbered = building.children.get('');
    // `a[][b]` repeated: some readers begin an element with each, some do not, so how many there are is not known.
    const isVague = unnumbered !== undefined && unnumbered.children.size > 0;
    if (items.length > 0) readings.push({ kind: 'array', items });
    if (isVague) readings.push({ kind: 'array', items: [...items, { kind: 'null' }] });
    if ([...building.children.keys()].some((name) => !/^\d*$/.test(name))) {
      readings.push({ kind: 'object', entries: entriesOf(building) });
    }
  }
  const [only] = readings;
  return readings.length === 1 && only !== undefined ? only : { kind: 'several', readings };
}

/** `a[]=1&a[]=2` is two elements, not one that is two things. */
function each(node: DocumentNode): readonly DocumentNode[] {
  return node.kind === 'several' ? node.readings : [node];
}
