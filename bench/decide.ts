// What deciding costs: rules alone, with a JSON body that is read, and with terms; medians of interleaved runs as ratios.

import { Buffer } from 'node:buffer';
import { createJudge, type Judge } from '../control/policy/judge.ts';
import { readPolicy } from '../control/policy/schema.ts';
import type { Agent, Facts } from '../core/facts.ts';
import { requestFacts } from '../core/requestFacts.ts';
import { bodyOf } from '../proxy/seal.ts';

const rounds = 41;
const perRound = 400;

const agent: Agent = {
  id: `agt_${'0'.repeat(32)}`,
  name: 'bench',
  riskTier: 'standard',
  person: null,
  environment: null,
  allowedPolicies: null,
  allowedDestinations: null,
};

function judgeOf(text: string): Judge {
  const policy = readPolicy('p', { what: 'policy "p"', file: 'p.yaml', text: `id: p\n${text}` }, '');
  if ('faults' in policy) throw new Error(policy.faults.join('\n'));
  return createJudge(() => new Map([['p', policy.value]]));
}

function factsOf(body: string): Facts {
  const lines = { destination: 'a.b', environment: null, policy: 'p', records: 1, extractRecords: null };
  return requestFacts({
    agent,
    lines: { ...lines, maxBodyBytes: 10 * 1024 * 1024 },
    method: 'POST',
    target: '/v1/things',
    headers: [['Content-Type', 'application/json']],
    body: bodyOf(Buffer.from(body)),
  });
}

function termsOf(count: number): string {
  const words = Array.from({ length: count }, (_, index) => `"promise ${index.toString(36)} nobody made"`);
  return `block_if_terms: [${words.join(', ')}]\nauto_approve_under: 1\n`;
}

/** JSON of about so many bytes: an agent's usual mixture of names, addresses and sentences. */
function jsonOf(bytes: number): string {
  const one = (id: number) => ({
    id,
    to: `user${id}@example.com`,
    text: 'Your order is on its way, and we thank you.',
  });
  return JSON.stringify({ items: Array.from({ length: Math.ceil(bytes / 90) }, (_, id) => one(id)) }).padEnd(bytes);
}

async function microseconds(judge: Judge, facts: Facts, times: number): Promise<number> {
  const from = process.hrtime.bigint();
  for (let count = 0; count < times; count++) {
    const { decision } = await judge(facts, null);
    if (decision.verdict !== 'allow') throw new Error(`Cannot measure: allowed expected, found ${decision.verdict}`);
  }
  return Number(process.hrtime.bigint() - from) / times / 1000;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const small = factsOf(jsonOf(1024));
const large = factsOf(jsonOf(100 * 1024));
const rules = judgeOf('auto_approve_under: 1\n');
const fields = judgeOf('field_checks: [{ path: "items[*].id", min: 0 }]\nauto_approve_under: 1\n');
const ten = judgeOf(termsOf(10));
const thousand = judgeOf(termsOf(1000));

const measures = {
  'rules alone, 1 KiB': () => microseconds(rules, small, perRound),
  'fields, 1 KiB': () => microseconds(fields, small, perRound),
  '10 terms, 1 KiB': () => microseconds(ten, small, perRound),
  '1000 terms, 1 KiB': () => microseconds(thousand, small, perRound),
  '10 terms, 100 KiB': () => microseconds(ten, large, 4),
  '1000 terms, 100 KiB': () => microseconds(thousand, large, 4),
};
type Name = keyof typeof measures;
const names = Object.keys(measures).filter((name): name is Name => Object.hasOwn(measures, name));
const taken = new Map<Name, number[]>(names.map((name) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const name of names) taken.get(name)?.push(await measures[name]());
}
const of = (name: Name) => median(taken.get(name) ?? []);
for (const name of names) console.log(`${name.padEnd(20)} ${of(name).toFixed(1).padStart(8)} µs`);

interface Target {
  readonly what: string;
  readonly ratio: number;
  readonly most: number;
}

const targets: readonly Target[] = [
  { what: 'T14 1000 terms / 10 terms, 1 KiB', ratio: of('1000 terms, 1 KiB') / of('10 terms, 1 KiB'), most: 1.3 },
  { what: 'T14 1000 terms / 10 terms, 100 KiB', ratio: of('1000 terms, 100 KiB') / of('10 terms, 100 KiB'), most: 1.3 },
  // Linear in the text: a hundred times the text, at most a hundred times the cost and a quarter for slower memory.
  { what: '100 KiB / 1 KiB, 1000 terms', ratio: of('1000 terms, 100 KiB') / of('1000 terms, 1 KiB'), most: 125 },
];
for (const { what, ratio, most } of targets) {
  console.log(`${what}: ${ratio.toFixed(2)} of at most ${most} ${ratio <= most ? 'met' : 'MISSED'}`);
}
