// `intents`: what waits for a person, in full, and the person's word on it.

import { connect, type ClientOptions } from './client.ts';
import { printable, printableLines, table } from './terminal.ts';

interface IntentShown {
  readonly intentId: string;
  readonly status: string;
  readonly destination: string;
  readonly policy: string | null;
  readonly agent: { readonly name: string };
  readonly risk_level: string;
  readonly risk_score: number;
  readonly reason_code: string;
  readonly blockReason: string | null;
  readonly digest: string;
  readonly expiresAt: string | null;
  readonly payload: { readonly type: string | null; readonly bytes: number; readonly sha256: string };
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headerNames: readonly string[];
    readonly methodOverride: string | null;
    readonly headers?: readonly { readonly name: string; readonly value: string }[];
  } | null;
  readonly auditTrail?: readonly {
    readonly seq: number;
    readonly createdAt: string;
    readonly eventType: string;
    readonly actor: string;
  }[];
}

export interface ListOptions extends ClientOptions {
  readonly status?: string;
  readonly json?: boolean;
  readonly limit?: string;
}

export async function listIntents(options: ListOptions): Promise<void> {
  const query = new URLSearchParams();
  if (options.status !== undefined) query.set('status', options.status);
  if (options.limit !== undefined) query.set('limit', options.limit);
  // The API's own answer; printed, not acted on.
  const answer = (await connect(options).get(`/v1/intents?${query.toString()}`)) as {
    readonly intents: readonly IntentShown[];
  };
  if (options.json === true) return print(JSON.stringify(answer));
  if (answer.intents.length === 0) return print('No intents');
  // What nobody knows the outcome of comes first: only a person can say.
  const [unknown, others] = [true, false].map((is) =>
    answer.intents.filter(({ status }) => (status === 'unknown') === is),
  );
  const rows = [...(unknown ?? []), ...(others ?? [])].map((intent) => [
    intent.intentId,
    intent.status,
    printable(intent.agent.name),
    printable(intent.request === null ? intent.destination : `${intent.request.method} ${intent.request.url}`),
    intent.risk_level,
    intent.expiresAt ?? '',
  ]);
  process.stdout.write(table([['intent', 'status', 'agent', 'request', 'risk', 'expires'], ...rows]));
}

export async function showIntent(id: string, options: ClientOptions & { readonly json?: boolean }): Promise<void> {
  const client = connect(options);
  const intent = (await client.get(`/v1/intents/${encodeURIComponent(id)}`)) as IntentShown;
  if (options.json === true) return print(JSON.stringify(intent));
  const payload = await client.getBytes(`/v1/intents/${encodeURIComponent(id)}/payload`).catch(() => null);
  const facts: readonly (readonly string[])[] = [
    ['intent', intent.intentId],
    ['status', intent.status],
    ['agent', printable(intent.agent.name)],
    ['destination', printable(intent.destination)],
    ['policy', printable(intent.policy ?? 'none')],
    ['request', intent.request === null ? 'none' : `${intent.request.method} ${intent.request.url}`],
    ...(intent.request?.methodOverride ? [['told to act as', intent.request.methodOverride]] : []),
    ...(intent.request?.headers ?? []).map(({ name, value }) => ['header', `${name}: ${value}`]),
    ['reason', printable(intent.blockReason ?? intent.reason_code)],
    ['risk', `${intent.risk_level} (${intent.risk_score})`],
    ['digest', intent.digest],
    ['expires', intent.expiresAt ?? ''],
    ['payload', `${intent.payload.type ?? 'no type'}, ${intent.payload.bytes} bytes, sha256 ${intent.payload.sha256}`],
  ];
  process.stdout.write(table(facts));
  for (const { seq, createdAt, eventType, actor } of intent.auditTrail ?? []) {
    print(`  ${seq}  ${createdAt}  ${eventType}  ${printable(actor)}`);
  }
  print(payload === null ? 'The payload is past its retention' : shown(payload));
}

/** The whole payload; bytes that are not text are said to be so, never silently left out. */
function shown(payload: Uint8Array): string {
  try {
    return printableLines(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return `${payload.length} bytes that are not text, in Base64:\n${Buffer.from(payload).toString('base64')}`;
  }
}

export type Verb = 'approve' | 'reject' | 'revoke';

export async function decideIntent(
  verb: Verb,
  id: string,
  options: ClientOptions & { readonly reason?: string; readonly digest?: string; readonly json?: boolean },
): Promise<void> {
  const { reason, digest } = options;
  const body = { ...(reason === undefined ? {} : { reason }), ...(digest === undefined ? {} : { digest }) };
  const answer = await connect(options).post(`/v1/intents/${encodeURIComponent(id)}/${verb}`, body);
  print(JSON.stringify(answer));
}

export async function resolveIntent(
  id: string,
  options: ClientOptions & { readonly outcome: string; readonly note: string },
): Promise<void> {
  const { outcome, note } = options;
  print(
    JSON.stringify(await connect(options).post(`/v1/intents/${encodeURIComponent(id)}/resolve`, { outcome, note })),
  );
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
