// Cases beside a policy: a request as input, the decision it must get, and what must stand in the log of it.

import { Buffer } from 'node:buffer';
import { eventTypes, type EventDraft } from '../../core/audit.ts';
import { canonicalJson, type Json } from '../../core/canonical.ts';
import type { Decision, Judgement } from '../../core/decision.ts';
import type { Agent, Header } from '../../core/facts.ts';
import type { IntentCore } from '../../core/intent.ts';
import { open } from '../../core/lifecycle.ts';
import { reasons, type ReasonCode } from '../../core/reasons.ts';
import { requestFacts } from '../../core/requestFacts.ts';
import { entries, freeform, integer, list, object, oneOf, text, words, type TypeOf } from '../../config/shape.ts';
import { readYaml, type Loaded, type Source } from '../../config/yaml.ts';
import { bodyOf } from '../../proxy/seal.ts';
import { createJudge } from './judge.ts';
import type { Policy } from './policy.ts';

const codes = Object.keys(reasons).filter((code): code is ReasonCode => Object.hasOwn(reasons, code));

const agentShape = object({
  riskTier: oneOf(['standard', 'elevated', 'restricted']),
  environment: text('the name of an environment'),
  allowed_policies: list(text('the name of a policy')),
  allowed_destinations: list(text('the name of a destination')),
});

const inputShape = object(
  {
    destination: text('a destination name such as "stripe.refund"'),
    method: text('a method such as POST', /^[A-Z]+$/),
    url: text('a path, or a whole URL', /^(https?:\/\/[^/]+)?\/[\x21-\x7e]*$/),
    headers: entries(words('a header value'), /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a header name'),
    body: text('a text', /^[\s\S]*$/),
    body_base64: text('bytes in base64', /^[A-Za-z0-9+/\s]*={0,2}\s*$/),
    body_file: text('a file beside this one', /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/),
    agent: agentShape,
    environment: text('the name of an environment'),
    recordCount: integer({ min: 0 }),
    extract_records: text('a path such as "items"'),
    rate: oneOf(['free', 'reached']),
  },
  ['destination'],
);

const decisionShape = object(
  {
    verdict: oneOf(['approved', 'pending_approval', 'blocked']),
    reason_code: oneOf(codes),
    message: text('a sentence'),
    rule: text('the name of a rule'),
    expires_in_minutes: integer({ min: 1 }),
  },
  ['verdict', 'reason_code'],
);

const auditShape = object({ events: list(oneOf(eventTypes)), policy_checked: freeform() });

const caseShape = object({ name: text('a sentence'), input: inputShape, decision: decisionShape, audit: auditShape }, [
  'name',
  'input',
  'decision',
]);

export const casesShape = object({ cases: list(caseShape) }, ['cases']);

export type PolicyCase = TypeOf<typeof caseShape>;

export interface CaseResult {
  readonly name: string;
  /** Sentences; none where the case holds. */
  readonly faults: readonly string[];
}

export function readCases(source: Source): Loaded<readonly PolicyCase[]> {
  const loaded = readYaml(source, casesShape);
  if ('faults' in loaded) return loaded;
  const { cases } = loaded.value;
  const faults = [...faultsOf(cases)].map((fault) => `Cannot load ${source.what}: ${fault} (${source.file})`);
  return faults.length > 0 ? { faults } : { value: cases };
}

function* faultsOf(cases: readonly PolicyCase[]): Generator<string> {
  const names = new Set<string>();
  if (cases.length === 0) yield '"cases" must hold one at least, found none';
  for (const { name, input } of cases) {
    if (names.has(name)) yield `a name must be given once, found "${name}" again`;
    names.add(name);
    const bodies = [input.body, input.body_base64, input.body_file].filter((body) => body !== undefined);
    if (bodies.length > 1) yield `"${name}" must have one of body, body_base64 and body_file, found ${bodies.length}`;
  }
}

/** `readFile` gives the bytes of a file beside the cases, or null. */
export async function runCase(
  policy: Policy,
  given: PolicyCase,
  readFile: (name: string) => Uint8Array | null,
): Promise<CaseResult> {
  const { name, input } = given;
  const bytes = bytesOf(input, readFile);
  if (bytes === null) return { name, faults: [`"body_file" must be beside the cases, found no "${input.body_file}"`] };
  const judgement = await createJudge(() => new Map([[policy.id, policy]]))(factsOf(policy, input, bytes), null);
  const decision = input.rate === 'reached' ? (judgement.rate?.overLimit ?? judgement.decision) : judgement.decision;
  return { name, faults: [...decisionFaults(given, decision), ...auditFaults(given, decision, judgement)] };
}

type CaseInput = TypeOf<typeof inputShape>;

function bytesOf(input: CaseInput, readFile: (name: string) => Uint8Array | null): Uint8Array | null {
  if (input.body_file !== undefined) return readFile(input.body_file);
  if (input.body_base64 !== undefined) return Buffer.from(input.body_base64, 'base64');
  return Buffer.from(input.body ?? '');
}

function factsOf(policy: Policy, input: CaseInput, bytes: Uint8Array) {
  const headers = [...(input.headers ?? [])].map(([name, value]): Header => [name, value]);
  const lines = {
    destination: input.destination,
    environment: input.environment ?? null,
    policy: policy.id,
    records: input.recordCount ?? null,
    extractRecords: input.extract_records ?? null,
    maxBodyBytes: Math.max(bytes.length, 1024 * 1024),
  };
  const { method = 'POST', url = '/' } = input;
  const target = url.replace(/^https?:\/\/[^/]+/, '');
  return requestFacts({ agent: agentOf(input), lines, method, target, headers, body: bodyOf(bytes) });
}

function agentOf({ agent }: CaseInput): Agent {
  return {
    id: `agt_${'0'.repeat(32)}`,
    name: 'agent',
    riskTier: agent?.riskTier ?? 'standard',
    person: null,
    environment: agent?.environment ?? null,
    allowedPolicies: agent?.allowed_policies ?? null,
    allowedDestinations: agent?.allowed_destinations ?? null,
  };
}

const verdicts = { allow: 'approved', hold: 'pending_approval', block: 'blocked' } as const;
const minuteMs = 60_000;

function* decisionFaults({ decision: wanted }: PolicyCase, decision: Decision): Generator<string> {
  const { because, verdict } = decision;
  const found: Readonly<Record<keyof typeof wanted, string | number | null>> = {
    verdict: verdicts[verdict],
    reason_code: because.reason,
    message: because.message,
    rule: because.rule,
    expires_in_minutes: decision.verdict === 'hold' ? decision.decideWithinMs / minuteMs : null,
  };
  for (const [key, value] of Object.entries(found)) {
    const expected = Object.entries(wanted).find(([name]) => name === key)?.[1];
    if (expected !== undefined && expected !== value) yield differs(`decision.${key}`, expected, value);
  }
}

function* auditFaults({ audit }: PolicyCase, decision: Decision, judgement: Judgement): Generator<string> {
  if (audit === undefined) return;
  const { events } = open(coreOf(judgement), decision, {}, 0);
  const types = events.map(({ type }) => type);
  if (audit.events !== undefined && audit.events.join() !== types.join()) {
    yield differs('audit.events', audit.events, types);
  }
  const checked: EventDraft['metadata'] = events.find(({ type }) => type === 'policy_checked')?.metadata ?? {};
  for (const [key, expected] of Object.entries(audit.policy_checked ?? {})) {
    const value = checked[key] ?? null;
    if (canonicalJson(value) !== canonicalJson(expected)) yield differs(`audit.policy_checked.${key}`, expected, value);
  }
}

function differs(key: string, expected: Json, found: Json): string {
  return `"${key}" must be ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
}

function coreOf({ useWithinMs, selfApproval }: Judgement): IntentCore {
  return {
    id: `int_${'0'.repeat(32)}`,
    agent: `agt_${'0'.repeat(32)}`,
    agentName: 'agent',
    person: null,
    selfApproval,
    fingerprint: '',
    bindingDigest: '',
    createdAt: 0,
    useWithinMs,
    onBehalfOf: null,
  };
}
