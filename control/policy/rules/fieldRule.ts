// The fields of the body and the query against the policy's checks: one that blocks counts before one that asks.

import type { Facts } from '../../../core/facts.ts';
import { isUndecodable } from '../content/content.ts';
import { documentOf, readForm } from '../content/form.ts';
import { checkField, type FieldCheck, type FieldFault } from './fieldChecks.ts';
import { decideBy, pass, type Rule } from './rule.ts';

export const fieldChecks: Rule = {
  name: 'field_checks',
  judge: ({ content, policy, facts }) => {
    if (content === null || isUndecodable(content)) return pass;
    const checks = policy?.fieldChecks ?? [];
    const found = [...checks.map((check) => checkField(check, content)), ...queryFaults(facts, checks)];
    const faults = found.filter((fault) => fault !== null);
    const worst = faults.find(({ action }) => action === 'block') ?? faults[0];
    if (worst === undefined) return pass;
    const outcome = worst.action === 'block' ? 'block' : 'hold';
    return decideBy(outcome, 'field_check_failed', sentence(worst), worst.path);
  },
};

/** Many servers take a field from either place: in the query it need not be, but where it is it must be right. */
function queryFaults({ request }: Facts, checks: readonly FieldCheck[]): readonly (FieldFault | null)[] {
  const query = request?.target.split('?').slice(1).join('?') ?? '';
  const fields = query === '' ? [] : readForm(query);
  if (isUndecodable(fields) || fields.length === 0) return [];
  const documents = [documentOf(fields)];
  return checks.map((check) => checkField({ ...check, isRequired: false }, { documents }));
}

function sentence({ path, rule }: FieldFault): string {
  return `Field "${path}" fails "${rule}"`;
}
