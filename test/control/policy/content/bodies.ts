// Bodies as a test sends them, and what a policy with the blocked term EVIL says of them.

import assert from 'node:assert/strict';
import { isUndecodable, readContent, type Content } from '../../../../control/policy/content/content.ts';
import { compileTerms } from '../../../../control/policy/content/terms.ts';
import { findTerm } from '../../../../control/policy/content/views.ts';

export interface Sent {
  readonly type?: string | null;
  readonly encoding?: string | null;
  readonly limitBytes?: number;
}

const terms = compileTerms(['evil', 'refund guaranteed']);

export function read(body: string | Uint8Array, { type = null, encoding = null, limitBytes = 1 << 24 }: Sent = {}) {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return readContent({ bytes, contentType: type, contentEncoding: encoding, limitBytes });
}

export async function readable(body: string | Uint8Array, sent: Sent = {}): Promise<Content> {
  const content = await read(body, sent);
  if (isUndecodable(content)) assert.fail(`undecodable: ${content.undecodable}`);
  return content;
}

/** The term found, `clean`, or `undecodable`. */
export async function verdict(body: string | Uint8Array, sent: Sent = {}): Promise<string> {
  const content = await read(body, sent);
  if (isUndecodable(content)) return 'undecodable';
  const found = await findTerm(terms, { strings: content.strings(), verbatim: content.verbatim });
  if (found === null) return 'clean';
  return typeof found === 'string' ? found : 'undecodable';
}

export async function isBlocked(body: string | Uint8Array, sent: Sent = {}): Promise<void> {
  assert.equal(await verdict(body, sent), 'evil');
}

export async function isClean(body: string | Uint8Array, sent: Sent = {}): Promise<void> {
  assert.equal(await verdict(body, sent), 'clean');
}

export async function isRefused(body: string | Uint8Array, sent: Sent = {}): Promise<void> {
  assert.equal(await verdict(body, sent), 'undecodable');
}

export const json = { type: 'application/json' } as const;
