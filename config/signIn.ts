// Sign-in links: good once, for 15 minutes. Only hashes lie in the data directory; who can write there can make one.

import { hash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from './dataDir.ts';

const lifeMs = 15 * 60_000;

interface Link {
  readonly hash: string;
  readonly until: number;
}

/** Returns the token of a new link. */
export function makeSignInToken(dataDir: string, now: number): string {
  const token = randomBytes(24).toString('hex');
  write(dataDir, [...read(dataDir, now), { hash: hash('sha256', token, 'hex'), until: now + lifeMs }]);
  return token;
}

/** True once for a token that was made here in time. */
export function redeemSignInToken(dataDir: string, token: string, now: number): boolean {
  const links = read(dataDir, now);
  const wanted = hash('sha256', token, 'hex');
  const rest = links.filter((link) => link.hash !== wanted);
  if (rest.length === links.length) return false;
  write(dataDir, rest);
  return true;
}

function read(dataDir: string, now: number): readonly Link[] {
  const file = join(dataDir, 'sign-in');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  const links = lines.map((line) => line.split(' ')).map(([hash = '', until]) => ({ hash, until: Number(until) }));
  return links.filter(({ hash, until }) => hash !== '' && until > now);
}

function write(dataDir: string, links: readonly Link[]): void {
  writeDurably(join(dataDir, 'sign-in'), links.map(({ hash, until }) => `${hash} ${until}\n`).join(''));
}
