// The agent's key, where the proxy's client presents it.

import type { Header } from '../core/facts.ts';

/**
 * `Proxy-Authorization: Basic <name>:<key>` (the name is ignored) or `Bearer <key>`. null when there is none; a
 * malformed one gives an empty key, which belongs to nobody.
 */
export function proxyKey(headers: readonly Header[]): string | null {
  const found = headers.find(([name]) => name.toLowerCase() === 'proxy-authorization');
  if (found === undefined) return null;
  const [, scheme = '', token = ''] = /^([A-Za-z]+) +([\x21-\x7e]+)$/.exec(found[1]) ?? [];
  if (scheme.toLowerCase() === 'bearer') return token;
  if (scheme.toLowerCase() !== 'basic' || !/^[A-Za-z0-9+/]+={0,2}$/.test(token)) return '';
  const pair = Buffer.from(token, 'base64').toString('latin1');
  return pair.slice(pair.indexOf(':') + 1);
}
