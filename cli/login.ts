// `login`: turns a sign-in link or a key into a key kept for this user; `--link` prints another link.

import { environment, loadConfig } from '../config/load.ts';
import { makeSignInToken } from '../config/signIn.ts';
import { isApiKey } from '../core/ids.ts';
import { connect, gateUrl, keepKey, type ClientOptions } from './client.ts';
import { printable } from './terminal.ts';

export async function login(
  what: string | undefined,
  options: ClientOptions & { readonly link?: boolean; readonly dataDir?: string },
) {
  if (options.link === true) return printLink(options);
  if (what === undefined) throw new Error('Cannot sign in: give the link that Gate printed, or a key');
  const [, base, token] = /^(https?:\/\/[^/]+)\/dashboard#link=([0-9a-f]{48})$/.exec(what) ?? [];
  if (base === undefined && !isApiKey(what))
    throw new Error('Cannot sign in: this is neither a link of Gate nor a key');
  const url = base ?? gateUrl(options);
  const key =
    token === undefined ? what : keyOf(await connect({ ...options, url }).post('/v1/session/key', { link: token }));
  await connect({ url, key }).get('/v1/agents');
  process.stdout.write(`Signed in at ${printable(url)}; the key is kept in ${keepKey(url, key)}\n`);
}

function printLink(options: { readonly dataDir?: string }): void {
  const config = loadConfig({ dataDir: options.dataDir }, environment());
  if ('faults' in config) throw new Error(config.faults.join('\n'));
  const token = makeSignInToken(config.dataDir, Date.now());
  process.stdout.write(`${gateUrl({})}/dashboard#link=${token}\n`);
}

function keyOf(answer: unknown): string {
  if (typeof answer === 'object' && answer !== null && 'apiKey' in answer) return String(answer.apiKey);
  throw new Error('Cannot sign in: Gate gave no key');
}
