// A policy as loaded: compiled once, judged with many times.

import type { RateLimit } from '../../core/decision.ts';
import type { TermSet } from './content/terms.ts';
import type { FieldCheck } from './rules/fieldChecks.ts';

export interface Thresholds {
  readonly requireApproval: 'always' | 'never' | null;
  readonly requireApprovalOver: number | null;
  readonly autoApproveUnder: number | null;
  readonly expiryMinutes: number | null;
  readonly useWithinMinutes: number | null;
}

export interface Policy extends Thresholds {
  readonly id: string;
  /** SHA-256 of the file's text, hexadecimal. */
  readonly digest: string;
  /** The file's text, from which a thread of its own compiles the same policy. */
  readonly text: string;
  /** null: any. */
  readonly destinations: readonly string[] | null;
  readonly allowedTypes: readonly string[] | null;
  readonly terms: TermSet | null;
  readonly fieldChecks: readonly FieldCheck[];
  readonly rateLimits: RateLimit | null;
  readonly selfApproval: 'deny' | 'allow';
  readonly environments: ReadonlyMap<string, Partial<Thresholds>>;
}

/** Whether any rule of the policy must look into the body. */
export function looksInside({ terms, fieldChecks, allowedTypes }: Policy): boolean {
  return terms !== null || fieldChecks.length > 0 || allowedTypes !== null;
}

/** A field check as written. */
export interface FieldCheckLine {
  readonly path: string;
  readonly required: boolean;
  readonly min: number | null;
  readonly max: number | null;
  readonly maxLength: number | null;
  readonly pattern: string | null;
  readonly oneOf: readonly string[] | null;
  readonly action: 'block' | 'require_approval';
}
