// Execution rows: made by a claim, ended by its outcome.

import type { Database } from 'better-sqlite3';
import type { ExecutionId } from '../../core/ids.ts';
import type { IntentEvent } from '../../core/lifecycle.ts';

export type RecordExecution = (intentRow: number, event: IntentEvent, at: number) => void;

export function prepareExecutions(db: Database): RecordExecution {
  const start = db.prepare(
    `INSERT INTO executions (public_id, intent, mode, status, created_at) VALUES (?, ?, 'proxy', 'executing', ?)`,
  );
  const finish = db.prepare(
    `UPDATE executions SET status = ?, completed_at = ?
     WHERE intent = ? AND status = 'executing' AND (? IS NULL OR public_id = ?)`,
  );
  /** `execution` null: whichever is under way. */
  const end = (intentRow: number, execution: ExecutionId | null, status: string, at: number) => {
    finish.run(status, at, intentRow, execution, execution);
  };
  return (intentRow, event, at) => {
    switch (event.type) {
      case 'claim':
        start.run(event.claim.execution, intentRow, at);
        return;
      case 'answered':
        return end(intentRow, event.execution, event.status < 400 ? 'succeeded' : 'failed', at);
      case 'not_sent':
        return end(intentRow, event.execution, 'not_sent', at);
      case 'lost':
        return end(intentRow, event.execution, 'unknown', at);
      case 'approve':
      case 'reject':
      case 'revoke':
      case 'expire':
      case 'supersede':
      case 'resolve':
        return;
    }
  };
}
