// `policy explain`: what Gate would make of a request, step by step; nothing is sent or recorded.

import { readFileSync } from 'node:fs';
import { loadConfiguration, type LoadedConfiguration } from '../config/inForce.ts';
import { explain, type ExplainedRequest, type Explanation } from '../control/policy/explain.ts';
import type { Agent, RiskTier } from '../core/facts.ts';
import { isRefusal, reasons, type Refusal } from '../core/reasons.ts';
import { bodyOf } from '../proxy/seal.ts';
import { connect, type ClientOptions } from './client.ts';
import { configured, fail } from './configured.ts';
import { readRequest } from './requestFile.ts';
import { printable, table } from './terminal.ts';

export interface ExplainOptions extends ClientOptions {
  readonly intent?: string;
  readonly policyDir?: string;
  readonly configDir?: string;
  readonly tier?: string;
  readonly environment?: string;
  readonly json?: boolean;
}

/** Exit status 2 where the request cannot be read; a request that would be refused is explained all the same. */
export async function explainRequest(file: string | undefined, options: ExplainOptions): Promise<void> {
  const loaded = configuration(options);
  if (loaded === null) return;
  const request = options.intent === undefined ? written(file, options) : await recorded(options.intent, options);
  if (isRefusal(request)) {
    return fail([`Cannot read the request: ${request.message}`]);
  }
  const explained = await explain(request, loaded.policies, loaded.destinations);
  process.stdout.write(options.json === true ? `${JSON.stringify(asJson(explained))}\n` : asTable(explained));
}

function configuration({ policyDir, configDir }: ExplainOptions): LoadedConfiguration | null {
  const config = configured({ policyDir, configDir });
  if (config === null) return null;
  const loaded = loadConfiguration({ policies: config.policyDir.path, configuration: config.configDir.path });
  if (!('faults' in loaded)) return loaded.value;
  fail(loaded.faults);
  return null;
}

function written(file: string | undefined, options: ExplainOptions): ExplainedRequest | Refusal {
  if (file === undefined) throw new Error('Cannot explain: give a file with a request, or --intent int_…');
  const request = readRequest(readFileSync(file === '-' ? 0 : file));
  if (isRefusal(request)) return request;
  return { ...request, body: bodyOf(request.bytes), agent: agentOf(options) };
}

function agentOf({ tier = 'standard', environment: place }: ExplainOptions): Agent {
  if (!isTier(tier))
    throw new Error(`Cannot explain: --tier must be standard, elevated or restricted, found "${tier}"`);
  return {
    id: `agt_${'0'.repeat(32)}`,
    name: 'agent',
    riskTier: tier,
    person: null,
    environment: place ?? null,
    allowedPolicies: null,
    allowedDestinations: null,
  };
}

function isTier(text: string): text is RiskTier {
  return text === 'standard' || text === 'elevated' || text === 'restricted';
}

/** What the API shows of an intent and of its agent. */
interface IntentShown {
  readonly agent: { readonly id: Agent['id']; readonly name: string };
  readonly request: { readonly method: string; readonly url: string } | null;
  readonly payload: { readonly type: string | null };
}

interface AgentShown {
  readonly riskTier: RiskTier;
  readonly environment: string | null;
  readonly allowed_policies: readonly string[] | null;
  readonly allowed_destinations: readonly string[] | null;
}

/** The values of an intent's headers are not shown to anybody: its body is read by its type and its bytes. */
async function recorded(id: string, options: ExplainOptions): Promise<ExplainedRequest> {
  const client = connect(options);
  const path = `/v1/intents/${encodeURIComponent(id)}`;
  const intent = (await client.get(path)) as IntentShown;
  if (intent.request === null) throw new Error(`Cannot explain ${id}: it has no request, only a payload`);
  const agent = (await client.get(`/v1/agents/${encodeURIComponent(intent.agent.id)}`)) as AgentShown;
  const url = new URL(intent.request.url);
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const [, target = '/'] = /^https?:\/\/[^/]+(\/.*)$/.exec(intent.request.url) ?? [];
  const { type } = intent.payload;
  return {
    place: {
      scheme,
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port) || (scheme === 'https' ? 443 : 80),
      target,
    },
    does: 'write',
    method: intent.request.method,
    headers: type === null ? [] : [['Content-Type', type]],
    body: bodyOf(await client.getBytes(`${path}/payload`)),
    agent: {
      id: intent.agent.id,
      name: intent.agent.name,
      riskTier: agent.riskTier,
      person: null,
      environment: agent.environment,
      allowedPolicies: agent.allowed_policies,
      allowedDestinations: agent.allowed_destinations,
    },
  };
}

const verdicts = { allow: 'approved', hold: 'pending_approval', block: 'blocked' } as const;

function asJson(explained: Explanation | Refusal) {
  if (isRefusal(explained)) return { decision: 'refused', reason_code: explained.refused, message: explained.message };
  const { where, judgement } = explained;
  const { destination, entry } = where.resolved;
  const place = { destination, entry: where.key, path: where.path, mode: where.mode, policy: entry.policy };
  if (judgement === null) return { ...place, decision: where.mode === 'pass' ? 'passed' : 'refused' };
  const { because, verdict } = judgement.decision;
  return {
    ...place,
    policy_digest: because.policyDigest,
    recordCount: judgement.recordCount,
    rate_limits: judgement.rate?.limit ?? null,
    steps: because.steps,
    decision: verdicts[verdict],
    reason_code: because.reason,
    message: because.message,
    risk_score: because.risk.score,
    risk_level: because.risk.level,
  };
}

function asTable(explained: Explanation | Refusal): string {
  if (isRefusal(explained))
    return table([['decision', `refused: ${explained.refused}: ${printable(explained.message)}`]]);
  const { where, judgement } = explained;
  const { destination, entry } = where.resolved;
  const rows: (readonly string[])[] = [
    ['destination', printable(destination)],
    ['entry', `${where.key}${where.path === null ? '' : ` ${where.path}`} (destinations.yaml)`],
    ['mode', where.mode],
    ['policy', entry.policy ?? 'none'],
  ];
  if (judgement === null) {
    const { sentence } = reasons.destination_blocked;
    rows.push(['decision', where.mode === 'pass' ? 'passes unjudged, on record' : `refused: ${sentence}`]);
    return table(rows);
  }
  const { because, verdict } = judgement.decision;
  rows.push(['records', judgement.recordCount === null ? 'nobody knows' : String(judgement.recordCount)]);
  for (const { rule, outcome, at } of because.steps) {
    rows.push(['step', `${rule}: ${outcome}${at === null ? '' : ` (${printable(at)})`}`]);
  }
  const { rate } = judgement;
  if (rate !== null)
    rows.push(['rate', `${rate.limit.perHour ?? '–'} an hour, ${rate.limit.perDay ?? '–'} a day; not counted here`]);
  rows.push(['decision', `${verdicts[verdict]}: ${because.reason}: ${printable(because.message)}`]);
  rows.push(['risk', `${because.risk.level} (${because.risk.score})`]);
  if (where.mode === 'observe') rows.push(['observed', 'recorded as it would be, and forwarded all the same']);
  return table(rows);
}
