// Reading field lines: values by name and comma-separated lists, always from the lines as they came.

import type { Header } from '../../core/facts.ts';

/** Every value of one field, in order; `name` in lower case. */
export function valuesOf(headers: readonly Header[], name: string): readonly string[] {
  return headers.filter(([found]) => found.toLowerCase() === name).map(([, value]) => value);
}

/** The members of a list field over all its lines, in lower case; empty members are dropped (RFC 9110 §5.6.1). */
export function membersOf(headers: readonly Header[], name: string): readonly string[] {
  return valuesOf(headers, name)
    .flatMap((value) => value.split(','))
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase())
    .filter((member) => member !== '');
}

/** RFC 9110 §5.6.2. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}
