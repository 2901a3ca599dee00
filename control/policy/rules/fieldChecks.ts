// Holds the fields of a body against what the policy says of them, in every reading of the body.

import { RE2JS } from 're2js';
import type { Content } from '../content/content.ts';
import { compareDecimals, readDecimal, type Decimal } from '../content/decimal.ts';
import type { DocumentNode } from '../content/document.ts';
import { compilePath, select, type FieldPath, type PathFault } from '../content/fieldPath.ts';
import type { FieldCheckLine } from '../policy.ts';

/** A field check as compiled, once, when its policy is loaded. */
export interface FieldCheck {
  readonly path: FieldPath;
  readonly isRequired: boolean;
  readonly min: Decimal | null;
  readonly max: Decimal | null;
  /** In characters. */
  readonly maxLength: number | null;
  readonly pattern: RE2JS | null;
  readonly oneOf: readonly string[] | null;
  readonly action: FieldCheckLine['action'];
}

/** Which rule of which check; never the value. */
export interface FieldFault {
  readonly path: string;
  readonly rule: 'required' | 'min' | 'max' | 'max_length' | 'pattern' | 'one_of';
  readonly action: FieldCheckLine['action'];
}

export function compileFieldCheck(line: FieldCheckLine): FieldCheck | PathFault {
  const path = compilePath(line.path);
  if ('fault' in path) return path;
  const { required: isRequired, maxLength, oneOf, action } = line;
  const [min, max] = [decimalOf(line.min), decimalOf(line.max)];
  try {
    const pattern = line.pattern === null ? null : RE2JS.compile(line.pattern);
    return { path, isRequired, min, max, maxLength, pattern, oneOf, action };
  } catch {
    return { fault: `a pattern is a regular expression of RE2, found "${line.pattern}"` };
  }
}

function decimalOf(value: number | null): Decimal | null {
  return value === null ? null : readDecimal(String(value));
}

/** The first rule that a value at the path fails; null when all pass. An absent value fails `required` alone. */
export function checkField(check: FieldCheck, content: Pick<Content, 'documents'>): FieldFault | null {
  const { path, action } = check;
  const documents = content.documents.length > 0 ? content.documents : [nothing];
  for (const document of documents) {
    const found = select(document, path);
    for (const { node, key } of found) {
      const isAbsent = node === null || node.kind === 'null';
      // A variant of the key comes beside the key itself, which alone can be the one that is required.
      if (isAbsent && check.isRequired && key === 'exact') return { path: path.text, rule: 'required', action };
      const rule = node === null ? null : failing(check, node);
      if (rule !== null) return { path: path.text, rule, action };
    }
  }
  return null;
}

const nothing: DocumentNode = { kind: 'null' };

function failing(check: FieldCheck, node: DocumentNode): FieldFault['rule'] | null {
  const { min, max, maxLength, pattern, oneOf } = check;
  const text = textOf(node);
  if (min !== null || max !== null) {
    const value = numberOf(node);
    if (min !== null && (value === null || compareDecimals(value, min) < 0)) return 'min';
    if (max !== null && (value === null || compareDecimals(value, max) > 0)) return 'max';
  }
  if (maxLength !== null && (text === null || isLonger(text, maxLength))) return 'max_length';
  if (pattern !== null && (text === null || !matches(pattern, text))) return 'pattern';
  if (oneOf !== null && (text === null || !isOneOf(node, text, oneOf))) return 'one_of';
  return null;
}

/** A string with an exponent is another number to readers that stop at the letter; a JSON number is not. */
function numberOf(node: DocumentNode): Decimal | null {
  if (node.kind === 'number') return readDecimal(node.text);
  return node.kind === 'string' && !/e/i.test(node.text) ? readDecimal(node.text) : null;
}

/** Null for what is no single value. */
function textOf(node: DocumentNode): string | null {
  switch (node.kind) {
    case 'string':
    case 'number':
      return node.text;
    case 'true':
    case 'false':
      return node.kind;
    case 'null':
    case 'object':
    case 'array':
    case 'several':
      return null;
  }
}

function isLonger(text: string, most: number): boolean {
  if (text.length <= most) return false;
  let count = 0;
  for (const _ of text) if (++count > most) return true;
  return false;
}

/** Longer values fail: linear time for 10 MB would still keep every other request waiting. */
const longestValue = 256 * 1024;

function matches(pattern: RE2JS, text: string): boolean {
  return text.length <= longestValue && !/[\p{Cc}\u2028\u2029]/u.test(text) && pattern.matches(text);
}

/** A number is the same number however it is written. */
function isOneOf(node: DocumentNode, text: string, oneOf: readonly string[]): boolean {
  if (oneOf.includes(text)) return true;
  const value = node.kind === 'number' ? readDecimal(text) : null;
  return (
    value !== null &&
    oneOf.some((one) => {
      const other = readDecimal(one);
      return other !== null && compareDecimals(value, other) === 0;
    })
  );
}
