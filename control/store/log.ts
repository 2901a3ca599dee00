// Appends audit events inside the running transaction and keeps the chain's head in memory.

import type { Database } from 'better-sqlite3';
import type { KeyObject } from 'node:crypto';
import type { EventDraft } from '../../core/audit.ts';
import { canonicalJson } from '../../core/canonical.ts';
import { genesis, linkEvent, proveLink } from '../audit/chain.ts';
import type { Clock } from '../ports.ts';

export interface Log {
  /** Max of the clock and the latest time ever written: a clock that steps back moves no deadline. */
  now(): number;
  append(draft: EventDraft, at: number, intentRow: number | null): number;
  /** The head before a transaction, to go back to when it fails. */
  head(): Head;
  restore(head: Head): void;
}

export interface Head {
  readonly seq: number;
  readonly at: number;
  readonly link: Uint8Array;
}

export function openLog(db: Database, key: KeyObject, logId: string, clock: Clock): Log {
  const last = db.prepare<[], Head>('SELECT seq, at, link FROM audit ORDER BY seq DESC LIMIT 1').get();
  let head: Head = last ?? { seq: 0, at: 0, link: genesis(logId) };
  const insert = db.prepare(
    `INSERT INTO audit (seq, at, type, intent, actor, actor_id, metadata_json, leaf, link, mac)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return {
    now: () => Math.max(head.at, clock.now()),
    head: () => head,
    restore: (earlier) => {
      head = earlier;
    },
    append: (draft, at, intentRow) => {
      const { type, actor, intent } = draft;
      const seq = head.seq + 1;
      const metadata = canonicalJson(draft.metadata);
      const event = { seq, at, type, intent, actor: actor.name, actorId: actor.id, metadata };
      const { leaf, link } = linkEvent(event, head.link);
      insert.run(seq, at, type, intentRow, actor.name, actor.id, metadata, leaf, link, proveLink(link, key));
      head = { seq, at: Math.max(at, head.at), link };
      return seq;
    },
  };
}
