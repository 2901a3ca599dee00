// `intents watch` and `intents held`: what waits for a person, as it comes.

import { connect, type ClientOptions } from './client.ts';
import { printable, table } from './terminal.ts';

interface PendingShown {
  readonly intentId: string;
  readonly status: string;
  readonly agent: { readonly name: string };
  readonly destination: string;
  readonly risk_level: string;
  readonly expiresAt: string | null;
  readonly request: { readonly method: string; readonly url: string } | null;
}

interface HeldShown {
  readonly intentId: string;
  readonly agent: { readonly name: string };
  readonly method: string | null;
  readonly url: string | null;
  readonly heldSince: string;
  readonly expiresAt: string;
}

const everyMs = 1_000;

/** Prints each intent that needs a person once, the oldest first, until it is stopped; `once` ends after the first look. */
export async function watchIntents(options: ClientOptions & { readonly once?: boolean }): Promise<void> {
  const client = connect(options);
  const seen = new Set<string>();
  for (;;) {
    const page = async (status: string) =>
      (
        (await client.get(`/v1/intents?status=${status}&limit=500`)) as { intents: PendingShown[] }
      ).intents.toReversed();
    // What nobody knows the outcome of comes first: only a person can say.
    for (const intent of [...(await page('unknown')), ...(await page('pending_approval'))]) {
      if (!seen.has(intent.intentId)) process.stdout.write(lineOf(intent));
      seen.add(intent.intentId);
    }
    if (options.once === true) return;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

function lineOf({ intentId, status, agent, destination, risk_level: risk, expiresAt, request }: PendingShown): string {
  const what = request === null ? destination : `${request.method} ${request.url}`;
  const wanted = status === 'unknown' ? 'outcome unknown: resolve it' : `decide before ${expiresAt ?? 'never'}`;
  return `${intentId}  ${printable(agent.name)}  ${printable(what)}  ${risk}  ${wanted}\n`;
}

export async function listHeld(options: ClientOptions & { readonly json?: boolean }): Promise<void> {
  const answer = (await connect(options).get('/v1/proxy/held')) as { readonly held: readonly HeldShown[] };
  if (options.json === true) return void process.stdout.write(`${JSON.stringify(answer)}\n`);
  if (answer.held.length === 0) return void process.stdout.write('No client is held\n');
  const rows = answer.held.map(({ intentId, agent, method, url, heldSince, expiresAt }) => [
    intentId,
    printable(agent.name),
    printable(`${method ?? ''} ${url ?? ''}`),
    heldSince,
    expiresAt,
  ]);
  process.stdout.write(table([['intent', 'agent', 'request', 'held since', 'until'], ...rows]));
}
