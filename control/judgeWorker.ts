// A thread that judges large bodies, so that the one that serves everybody does not stand still meanwhile.

import { parentPort } from 'node:worker_threads';
import type { Facts } from '../core/facts.ts';
import type { Judgement } from '../core/decision.ts';
import { createJudge } from './policy/judge.ts';
import type { Policy } from './policy/policy.ts';
import { readPolicy } from './policy/schema.ts';

/** A policy travels as its text: what it compiles to holds automata and programs that a thread cannot be given. */
export interface JudgeCall {
  readonly id: number;
  readonly facts: Facts;
  readonly expiresInMs: number | null;
  readonly policy: Pick<Policy, 'id' | 'digest' | 'text'>;
}

export type JudgeReply =
  { readonly id: number; readonly judgement: Judgement } | { readonly id: number; readonly error: string };

/** Compiled policies kept; more than any installation has in force at once. */
const maxCompiled = 256;
const compiled = new Map<string, Policy>();

function policyOf({ id, digest, text }: JudgeCall['policy']): Policy {
  const kept = compiled.get(digest);
  if (kept !== undefined) return kept;
  const read = readPolicy(id, { what: `policy "${id}"`, file: id, text }, digest);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const [oldest] = compiled.keys();
  if (compiled.size >= maxCompiled && oldest !== undefined) compiled.delete(oldest);
  compiled.set(digest, read.value);
  return read.value;
}

async function answer({ id, facts, expiresInMs, policy }: JudgeCall): Promise<JudgeReply> {
  try {
    const own = policyOf(policy);
    return { id, judgement: await createJudge(() => new Map([[own.id, own]]))(facts, expiresInMs) };
  } catch (fault) {
    return { id, error: fault instanceof Error ? (fault.stack ?? fault.message) : String(fault) };
  }
}

parentPort?.on('message', (call: JudgeCall) => {
  void answer(call).then((reply) => parentPort?.postMessage(reply));
});
