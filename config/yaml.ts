// Reads YAML text by a shape: every fault one sentence with file, line and column; aliases and merge keys refused.

import { isAlias, isScalar, LineCounter, parseDocument, visit, type Node } from 'yaml';
import { nearest } from './nearest.ts';
import type { Report, Shape } from './shape.ts';

export interface Source {
  /** What is being loaded, as the sentence needs it: `policy "crm-import"`. */
  readonly what: string;
  /** As the user knows it, for the end of the sentence. */
  readonly file: string;
  readonly text: string;
}

export type Loaded<T> = { readonly value: T } | { readonly faults: readonly string[] };

export function readYaml<T>(source: Source, shape: Shape<T>): Loaded<T> {
  const lines = new LineCounter();
  const document = parseDocument(source.text, { lineCounter: lines, uniqueKeys: true, merge: false, version: '1.2' });
  const faults: string[] = [];
  const place = (offset: number | undefined) => {
    if (offset === undefined) return `(${source.file})`;
    const { line, col } = lines.linePos(offset);
    return `(${source.file}:${line}:${col})`;
  };
  const add = (node: Node | null, sentence: string) => {
    faults.push(`Cannot load ${source.what}: ${sentence} ${place(node?.range?.[0])}`);
  };
  for (const error of document.errors) {
    const [first] = error.message.split('\n');
    faults.push(`Cannot load ${source.what}: ${trimmed(first ?? error.code)} ${place(error.pos[0])}`);
  }
  visit(document, {
    Alias: (_, node) => add(node, `aliases are not allowed, found "*${node.source}"`),
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === '<<') add(key, 'merge keys are not allowed, found "<<"');
      if (isAlias(key)) add(key, 'an alias cannot be a key');
    },
  });
  if (faults.length > 0) return { faults };
  const report: Report = {
    wrong: (node, key, wanted, found) => {
      add(node, key === '' ? `must be ${wanted}, found ${found}` : `"${key}" must be ${wanted}, found ${found}`);
    },
    unknown: (node, key, known) => {
      const name = key.slice(key.lastIndexOf('.') + 1);
      add(node, `unknown key "${key}"; did you mean "${nearest(name, known)}"?`);
    },
  };
  const value = shape.read(document.contents, '', report);
  return faults.length > 0 ? { faults } : { value };
}

/** The parser's message ends with its own position, which the sentence gives in its own form. */
function trimmed(message: string): string {
  return message.replace(/ at line \d+, column \d+:?$/, '');
}
