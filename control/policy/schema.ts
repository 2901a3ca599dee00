// The form of a policy file: the one definition that validates it, types it and is published as its JSON Schema.

import { compilePath } from './content/fieldPath.ts';
import { compileTerms, termFault } from './content/terms.ts';
import type { FieldCheckLine, Policy, Thresholds } from './policy.ts';
import { compileFieldCheck, type FieldCheck } from './rules/fieldChecks.ts';
import {
  checked,
  entries,
  integer,
  list,
  number,
  object,
  oneOf,
  text,
  truth,
  words,
  type TypeOf,
} from '../../config/shape.ts';
import { readYaml, type Loaded, type Source } from '../../config/yaml.ts';

export const policyName = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const nameWanted = 'a name of a-z, 0-9, ".", "_", "-", at most 63 long';
const destinationName = text('a destination name such as "stripe.refund"', /^[a-zA-Z0-9][a-zA-Z0-9._*-]{0,254}$/);
const minutes = integer({ min: 1, max: 525_600, unit: 'minutes' });

const thresholds = {
  require_approval: oneOf(['always', 'never']),
  require_approval_over: integer({ min: 0 }),
  auto_approve_under: integer({ min: 0 }),
  expiry_minutes: minutes,
  use_within_minutes: minutes,
};

const fieldCheck = object(
  {
    path: checked(text('a path such as "items[*].amount"'), pathFault),
    required: truth(),
    min: number({ min: -Number.MAX_VALUE }),
    max: number({ min: -Number.MAX_VALUE }),
    max_length: integer({ min: 0 }),
    pattern: checked(text('a regular expression (RE2)'), patternFault),
    one_of: list(words('a value')),
    action: oneOf(['block', 'require_approval']),
  },
  ['path'],
);

export const policyShape = object(
  {
    id: text(nameWanted, policyName),
    destinations: list(destinationName),
    allowed_types: list(text('a type such as "json"', /^[A-Za-z0-9]{1,16}$/)),
    block_if_terms: list(checked(words('a term'), termFault)),
    field_checks: list(fieldCheck),
    rate_limits: object({ per_agent_per_hour: integer({ min: 0 }), per_agent_per_day: integer({ min: 0 }) }),
    ...thresholds,
    self_approval: oneOf(['deny', 'allow']),
    environments: entries(
      object(thresholds),
      /^[A-Za-z0-9._-]{1,64}$/,
      'a name of at most 64 letters, digits, ".", "_"',
    ),
  },
  ['id'],
);

/** Also asked of `extract_records` in destinations.yaml. */
export function pathFault(path: string): string | null {
  const compiled = compilePath(path);
  return 'fault' in compiled ? `a path such as "items[*].amount" (${compiled.fault})` : null;
}

const blank: FieldCheckLine = {
  path: 'a',
  required: false,
  min: null,
  max: null,
  maxLength: null,
  pattern: null,
  oneOf: null,
  action: 'block',
};

function patternFault(pattern: string): string | null {
  return 'fault' in compileFieldCheck({ ...blank, pattern }) ? 'a regular expression of RE2' : null;
}

/** Path and pattern were found right by the shape before this is called. */
function compiled(line: FieldCheckLine): FieldCheck {
  const check = compileFieldCheck(line);
  if ('fault' in check) throw new Error(`Cannot compile a field check: ${check.fault}`);
  return check;
}

/** `id` is the file's name without its ending; a file that calls itself otherwise is a fault. */
export function readPolicy(id: string, source: Source, digest: string): Loaded<Policy> {
  const loaded = readYaml(source, policyShape);
  if ('faults' in loaded) return loaded;
  const { value } = loaded;
  if (value.id !== id) {
    const named = `"id" must be "${id}", the name of its file, found "${value.id}"`;
    return { faults: [`Cannot load ${source.what}: ${named} (${source.file})`] };
  }
  return { value: { id, digest, ...contentRules(value), ...allThresholds(value), environments: overlays(value) } };
}

function contentRules(value: TypeOf<typeof policyShape>) {
  const { rate_limits: rate } = value;
  return {
    destinations: value.destinations ?? null,
    allowedTypes: value.allowed_types?.map((type) => type.toLowerCase()) ?? null,
    terms:
      value.block_if_terms === undefined || value.block_if_terms.length === 0
        ? null
        : compileTerms(value.block_if_terms),
    fieldChecks: (value.field_checks ?? []).map((check) =>
      compiled({
        path: check.path,
        required: check.required ?? false,
        min: check.min ?? null,
        max: check.max ?? null,
        maxLength: check.max_length ?? null,
        pattern: check.pattern ?? null,
        oneOf: check.one_of ?? null,
        action: check.action ?? 'block',
      }),
    ),
    rateLimits:
      rate === undefined ? null : { perHour: rate.per_agent_per_hour ?? null, perDay: rate.per_agent_per_day ?? null },
    selfApproval: value.self_approval ?? 'deny',
  } as const;
}

type ThresholdLines = TypeOf<ReturnType<typeof object<typeof thresholds>>>;

function allThresholds(lines: ThresholdLines): Thresholds {
  return {
    requireApproval: lines.require_approval ?? null,
    requireApprovalOver: lines.require_approval_over ?? null,
    autoApproveUnder: lines.auto_approve_under ?? null,
    expiryMinutes: lines.expiry_minutes ?? null,
    useWithinMinutes: lines.use_within_minutes ?? null,
  };
}

/** Only what an overlay says overrides the base policy. */
function overlays(value: TypeOf<typeof policyShape>): ReadonlyMap<string, Partial<Thresholds>> {
  const said = (lines: ThresholdLines) =>
    Object.fromEntries(Object.entries(allThresholds(lines)).filter(([, line]) => line !== null));
  return new Map([...(value.environments ?? [])].map(([name, lines]) => [name, said(lines)]));
}
