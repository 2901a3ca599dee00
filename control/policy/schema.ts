// The form of a policy file: the one definition that validates it, types it and is published as its JSON Schema.

import { compilePath } from './content/fieldPath.ts';
import { compileTerms, termFault } from './content/terms.ts';
import type { FieldCheckLine, Policy, Thresholds } from './policy.ts';
import { compileFieldCheck, type FieldCheck } from './rules/fieldChecks.ts';
import {
  checked,
  described,
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
  require_approval: described(
    'always: a person decides on every write. never: takes an "always" of the base policy away.',
    oneOf(['always', 'never']),
  ),
  require_approval_over: described('More records than this wait for a person.', integer({ min: 0 })),
  auto_approve_under: described('As many records as this, or fewer, pass without a person.', integer({ min: 0 })),
  expiry_minutes: described('How long a person has to decide. Default: 60.', minutes),
  use_within_minutes: described('How long an approval can be used. Default: expiry_minutes, else 60.', minutes),
};

const fieldCheck = object(
  {
    path: described(
      'Where the field stands: names parted by dots, [n] for one element, [*] for each.',
      checked(text('a path such as "items[*].amount"'), pathFault),
    ),
    required: described('Whether the field must be there. Default: false.', truth()),
    min: described('Smallest number, compared as a decimal.', number({ min: -Number.MAX_VALUE })),
    max: described('Largest number, compared as a decimal.', number({ min: -Number.MAX_VALUE })),
    max_length: described('Most characters.', integer({ min: 0 })),
    pattern: described(
      'A regular expression (RE2) for the whole value.',
      checked(text('a regular expression (RE2)'), patternFault),
    ),
    one_of: described('The values that are allowed.', list(words('a value'))),
    action: described('What a failure does. Default: block.', oneOf(['block', 'require_approval'])),
  },
  ['path'],
);

export const policyShape = object(
  {
    id: described('The name of the policy: that of its file without .yaml.', text(nameWanted, policyName)),
    destinations: described('The destinations it judges; any other is blocked. Default: any.', list(destinationName)),
    allowed_types: described(
      'Types of body that may pass: json, form, multipart, csv, xml, text, binary. Default: any.',
      list(text('a type such as "json"', /^[A-Za-z0-9]{1,16}$/)),
    ),
    block_if_terms: described(
      'Words and phrases that block a request wherever they stand in it.',
      list(checked(words('a term'), termFault)),
    ),
    field_checks: described('What fields of the body must be.', list(fieldCheck)),
    rate_limits: described(
      'How many writes of one agent this policy lets through.',
      object({
        per_agent_per_hour: described('In any sixty minutes.', integer({ min: 0 })),
        per_agent_per_day: described('In any twenty-four hours.', integer({ min: 0 })),
      }),
    ),
    ...thresholds,
    self_approval: described(
      'Whether the person an agent acts for may approve what it proposes. Default: deny.',
      oneOf(['deny', 'allow']),
    ),
    environments: described(
      'What differs in an environment, by its name.',
      entries(object(thresholds), /^[A-Za-z0-9._-]{1,64}$/, 'a name of at most 64 letters, digits, ".", "_"'),
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
  return {
    value: {
      id,
      digest,
      text: source.text,
      ...contentRules(value),
      ...allThresholds(value),
      environments: overlays(value),
    },
  };
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
