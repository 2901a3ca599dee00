// One definition per file format: it validates YAML with positions, gives the TypeScript type and the JSON Schema.

import { isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';
import type { Json } from '../core/canonical.ts';

/** Collects what is wrong and where; a shape that has reported a fault may return any value of its type. */
export interface Report {
  /** `found` and `wanted` complete the sentence `"key" must be …, found …`. */
  wrong(node: Node | null, key: string, wanted: string, found: string): void;
  unknown(node: Node | null, key: string, known: readonly string[]): void;
}

export interface Shape<T> {
  read(node: Node | null, key: string, report: Report): T;
  readonly schema: { readonly [name: string]: Json };
}

export type TypeOf<S> = S extends Shape<infer T> ? T : never;

export function text(wanted = 'a string', pattern: RegExp = /^[\s\S]+$/): Shape<string> {
  return {
    read: (node, key, report) => {
      if (isScalar(node) && typeof node.value === 'string' && pattern.test(node.value)) return node.value;
      report.wrong(node, key, wanted, show(node));
      return '';
    },
    schema: { type: 'string', pattern: pattern.source },
  };
}

/** Strings of which each is compared later; any scalar that YAML reads as a number or a truth value is its text. */
export function words(wanted: string): Shape<string> {
  return {
    read: (node, key, report) => {
      if (isScalar(node) && node.value !== null && node.source !== undefined && node.source !== '') {
        return typeof node.value === 'string' ? node.value : node.source;
      }
      report.wrong(node, key, wanted, show(node));
      return '';
    },
    schema: { type: ['string', 'number', 'boolean'] },
  };
}

export function oneOf<const T extends string>(values: readonly T[]): Shape<T> {
  return {
    read: (node, key, report) => {
      const found = isScalar(node) ? values.find((value) => value === node.value) : undefined;
      if (found === undefined) report.wrong(node, key, `one of ${values.join(', ')}`, show(node));
      return found ?? firstOf(values);
    },
    schema: { enum: [...values] },
  };
}

export function truth(): Shape<boolean> {
  return {
    read: (node, key, report) => {
      if (isScalar(node) && typeof node.value === 'boolean') return node.value;
      report.wrong(node, key, 'true or false', show(node));
      return false;
    },
    schema: { type: 'boolean' },
  };
}

/** A mapping whose content is the user's own. */
export function freeform(): Shape<{ readonly [name: string]: Json }> {
  return {
    read: (node, key, report) => {
      if (isMap(node)) return node.toJSON();
      report.wrong(node, key, 'a mapping', show(node));
      return {};
    },
    schema: { type: 'object', maxProperties: 100 },
  };
}

export interface Bounds {
  readonly min: number;
  readonly max?: number;
  readonly unit?: string;
}

export function integer(bounds: Bounds): Shape<number> {
  return numeric('an integer', 'integer', bounds, Number.isSafeInteger);
}

export function number(bounds: Bounds): Shape<number> {
  return numeric('a number', 'number', bounds, Number.isFinite);
}

function numeric(name: string, type: string, bounds: Bounds, fits: (value: number) => boolean): Shape<number> {
  const { min, max = Infinity, unit } = bounds;
  const range = max === Infinity ? `>= ${min}` : `from ${min} to ${max}`;
  return {
    read: (node, key, report) => {
      const value = isScalar(node) ? node.value : null;
      if (typeof value === 'number' && fits(value) && value >= min && value <= max) return value;
      report.wrong(node, key, `${name} ${range}${unit === undefined ? '' : ` (${unit})`}`, show(node));
      return min;
    },
    schema: { type, minimum: min, ...(max === Infinity ? {} : { maximum: max }) },
  };
}

export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return {
    read: (node, key, report) => {
      if (isSeq<Node>(node)) return node.items.map((entry, index) => item.read(entry, `${key}[${index}]`, report));
      report.wrong(node, key, 'a list', show(node));
      return [];
    },
    schema: { type: 'array', items: item.schema },
  };
}

/** Entries under names that the user chooses; `wanted` says what a name must be. */
export function entries<T>(item: Shape<T>, pattern: RegExp, wanted: string): Shape<ReadonlyMap<string, T>> {
  return {
    read: (node, key, report) => {
      const found = new Map<string, T>();
      if (!isMap<Node, Node | null>(node)) report.wrong(node, key, 'a mapping', show(node));
      else {
        for (const pair of node.items) {
          const name = nameOf(pair);
          if (!pattern.test(name)) report.wrong(pair.key, joined(key, name), wanted, `"${name}"`);
          else found.set(name, item.read(pair.value, joined(key, name), report));
        }
      }
      return found;
    },
    schema: { type: 'object', propertyNames: { pattern: pattern.source }, additionalProperties: item.schema },
  };
}

type Fields = Readonly<Record<string, Shape<unknown>>>;
type Given<F extends Fields> = { readonly [K in keyof F]: TypeOf<F[K]> | undefined };
type Needed<F extends Fields, R extends keyof F> = Given<F> & { readonly [K in R]: TypeOf<F[K]> };

/** A mapping with known keys; an unknown key is a fault that names the nearest known one. */
export function object<F extends Fields, R extends keyof F & string = never>(
  fields: F,
  required: readonly R[] = [],
): Shape<Needed<F, R>> {
  const known = Object.keys(fields);
  return {
    read: (node, key, report) => {
      const values: Record<string, unknown> = Object.fromEntries(known.map((name) => [name, undefined]));
      if (!isMap<Node, Node | null>(node)) {
        report.wrong(node, key, 'a mapping', show(node));
        return values as Needed<F, R>;
      }
      for (const pair of node.items) {
        const name = nameOf(pair);
        const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (field === undefined) report.unknown(pair.key, joined(key, name), known);
        else values[name] = field.read(pair.value, joined(key, name), report);
      }
      const missing = required.filter((name) => !node.has(name));
      for (const name of missing) report.wrong(node, joined(key, name), 'given', 'nothing');
      // Every value was read by the shape of its own name.
      return values as Needed<F, R>;
    },
    schema: {
      type: 'object',
      properties: Object.fromEntries(known.map((name) => [name, fields[name]?.schema ?? {}])),
      required: [...required],
      additionalProperties: false,
    },
  };
}

/** The first of the shapes whose kind of node this is decides. */
export function either<A, B>(first: Shape<A>, isFirst: (node: Node | null) => boolean, second: Shape<B>): Shape<A | B> {
  return {
    read: (node, key, report) => (isFirst(node) ? first : second).read(node, key, report),
    schema: { anyOf: [first.schema, second.schema] },
  };
}

/** The same shape with a sentence about it, for the published schema. */
export function described<T>(description: string, shape: Shape<T>): Shape<T> {
  return { ...shape, schema: { description, ...shape.schema } };
}

/** A shape with one more condition: `faultOf` says what is wanted, or null where the value is right. */
export function checked<T>(shape: Shape<T>, faultOf: (value: T) => string | null): Shape<T> {
  return {
    read: (node, key, report) => {
      let isFaulty = false;
      const value = shape.read(node, key, {
        ...report,
        wrong: (...given) => {
          isFaulty = true;
          report.wrong(...given);
        },
      });
      const wanted = isFaulty ? null : faultOf(value);
      if (wanted !== null) report.wrong(node, key, wanted, show(node));
      return value;
    },
    schema: shape.schema,
  };
}

function nameOf(pair: Pair<Node, Node | null>): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

function joined(key: string, name: string): string {
  return key === '' ? name : `${key}.${name}`;
}

function firstOf<T>(values: readonly T[]): T {
  const [first] = values;
  if (first === undefined) throw new Error('Cannot define a shape: one value at least is needed');
  return first;
}

function show(node: Node | null): string {
  if (node === null) return 'nothing';
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  return isScalar(node) && typeof node.value === 'string' ? JSON.stringify(node.value) : String(node);
}
