// Judges with the policies as they are now: looks into the content where the policy must, then applies the rules.

import type { Judgement } from '../../core/decision.ts';
import type { Facts } from '../../core/facts.ts';
import { isUndecodable, readContent, type Content } from './content/content.ts';
import { compilePath } from './content/fieldPath.ts';
import { countRecords } from './content/records.ts';
import { findTerm } from './content/views.ts';
import { decide } from './decide.ts';
import { looksInside, type Policy } from './policy.ts';
import type { Seen } from './rules/rule.ts';

export type Policies = ReadonlyMap<string, Policy>;

/** A request in flight keeps the version it is judged with; the next call may see another. */
export type Judge = (facts: Facts, expiresInMs: number | null) => Promise<Judgement>;

export function createJudge(policies: () => Policies): Judge {
  return async (facts, expiresInMs) => {
    const policy = facts.policy === null ? null : (policies().get(facts.policy) ?? null);
    return decide(facts, policy, await look(facts, policy), expiresInMs);
  };
}

/** Reads the body whole, and only where a rule asks for it. */
async function look(facts: Facts, policy: Policy | null): Promise<Seen> {
  const { recordCount, extractRecords, contentType, contentEncoding, decodedLimitBytes: limitBytes } = facts;
  if (policy === null || (!looksInside(policy) && extractRecords === null)) {
    return { content: null, term: null, recordCount };
  }
  const content = await readContent({ bytes: facts.body.bytes, contentType, contentEncoding, limitBytes });
  if (isUndecodable(content)) return { content, term: null, recordCount: null };
  const counted = extractRecords === null ? recordCount : countAt(extractRecords, content);
  const { verbatim } = content;
  const term =
    policy.terms === null ? null : await findTerm(policy.terms, { strings: textsOf(facts, content), verbatim });
  // What could not be looked through to its end is not clean.
  if (term !== null && typeof term !== 'string') return { content: term, term: null, recordCount: null };
  return { content, term, recordCount: counted };
}

function* textsOf({ request }: Facts, content: Content): Generator<string> {
  if (request !== null) yield request.target;
  yield* content.strings();
}

function countAt(path: string, content: Content): number | null {
  const compiled = compilePath(path);
  return 'fault' in compiled ? null : countRecords(content, compiled);
}
