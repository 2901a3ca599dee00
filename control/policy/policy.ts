// A policy as loaded: compiled once, judged with many times.

import type { RateLimit } from '../../core/decision.ts';

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
  /** null: any. */
  readonly destinations: readonly string[] | null;
  readonly allowedTypes: readonly string[] | null;
  readonly blockIfTerms: readonly string[];
  readonly fieldChecks: readonly FieldCheckLine[];
  readonly rateLimits: RateLimit | null;
  readonly selfApproval: 'deny' | 'allow';
  readonly environments: ReadonlyMap<string, Partial<Thresholds>>;
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
