// `agents add`: a new agent, and its key, once.

import { connect, type ClientOptions } from './client.ts';

export async function addAgent(name: string, options: ClientOptions & { readonly tier?: string }): Promise<void> {
  const body = { name, ...(options.tier === undefined ? {} : { riskTier: options.tier }) };
  process.stdout.write(`${JSON.stringify(await connect(options).post('/v1/agents/register', body))}\n`);
}
