// What one transaction does to principals and keys.

import type { Database } from 'better-sqlite3';
import type { EventDraft } from '../../core/audit.ts';
import type { PrincipalStatus } from '../../core/facts.ts';
import type { KeyId, PrincipalId } from '../../core/ids.ts';
import type { Actor } from '../../core/intent.ts';
import type { NewKey, StoredKey, StoredPrincipal } from '../ports.ts';
import type { Log } from './log.ts';
import { readKey, readPrincipal, unhex, type KeyRow, type PrincipalRow } from './rows.ts';

export interface PrincipalTransactions {
  principals(): { readonly principals: readonly StoredPrincipal[]; readonly keys: readonly StoredKey[] };
  addPrincipal(principal: StoredPrincipal, key: NewKey, by: Actor): void;
  setStatus(id: PrincipalId, status: PrincipalStatus, by: Actor): void;
  addKey(principal: PrincipalId, key: NewKey, overlapMs: number | null, by: Actor): void;
  revokeKey(id: KeyId, by: Actor): void;
}

export function principalTransactions(db: Database, log: Log): PrincipalTransactions {
  const all = db.prepare<[], PrincipalRow>(
    'SELECT * FROM principals LEFT JOIN agents ON agents.principal = principals.id ORDER BY principals.id DESC',
  );
  const keys = db.prepare<[], KeyRow>(
    `SELECT keys.public_id, principals.public_id AS principal, hash, keys.created_at, expires_at, revoked_at
     FROM keys JOIN principals ON principals.id = keys.principal ORDER BY keys.id DESC`,
  );
  const rowOf = db.prepare<[string], { id: number }>('SELECT id FROM principals WHERE public_id = ?');
  const insert = db.prepare(
    'INSERT INTO principals (public_id, kind, name, role, status, created_at) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const insertAgent = db.prepare(
    `INSERT INTO agents (principal, risk_tier, owner, person, environment, framework, allowed_policies,
       allowed_destinations, metadata) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const insertKey = db.prepare('INSERT INTO keys (public_id, principal, hash, created_at) VALUES (?, ?, ?, ?)');
  const limitKeys = db.prepare(
    'UPDATE keys SET expires_at = min(coalesce(expires_at, ?), ?) WHERE principal = ? AND revoked_at IS NULL',
  );
  const setStatus = db.prepare('UPDATE principals SET status = ? WHERE public_id = ?');
  const revoke = db.prepare('UPDATE keys SET revoked_at = ? WHERE public_id = ? AND revoked_at IS NULL');

  function note(type: EventDraft['type'], actor: Actor, metadata: EventDraft['metadata'], at: number) {
    log.append({ type, actor, intent: null, metadata }, at, null);
  }

  function addKey(principal: PrincipalId, key: NewKey, overlapMs: number | null, by: Actor, at: number) {
    const row = rowOf.get(principal)?.id;
    if (row === undefined) throw new Error(`Cannot add a key: no principal "${principal}"`);
    if (overlapMs !== null) limitKeys.run(at + overlapMs, at + overlapMs, row);
    insertKey.run(key.id, row, unhex(key.hash), at);
    note('key_issued', by, { key: key.id, principal, overlap_ms: overlapMs }, at);
  }

  return {
    principals: () => ({ principals: all.all().map(readPrincipal), keys: keys.all().map(readKey) }),
    addPrincipal: (principal, key, by) => {
      const at = log.now();
      const { id, kind, name, role, status, agent } = principal;
      const row = insert.run(id, kind, name, role, status, at).lastInsertRowid;
      if (agent !== null) {
        const { riskTier, owner, person, environment, framework } = agent;
        const lists = [agent.allowedPolicies, agent.allowedDestinations].map((list) => list && JSON.stringify(list));
        insertAgent.run(row, riskTier, owner, person, environment, framework, ...lists, JSON.stringify(agent.metadata));
      }
      note('agent_registered', by, { principal: id, name, role, risk_tier: agent?.riskTier ?? null }, at);
      addKey(id, key, null, by, at);
    },
    setStatus: (id, status, by) => {
      setStatus.run(status, id);
      note('agent_status_changed', by, { principal: id, status }, log.now());
    },
    addKey: (principal, key, overlapMs, by) => addKey(principal, key, overlapMs, by, log.now()),
    revokeKey: (id, by) => {
      const at = log.now();
      if (revoke.run(at, id).changes > 0) note('key_revoked', by, { key: id }, at);
    },
  };
}
