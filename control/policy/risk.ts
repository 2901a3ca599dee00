// A number from 0 to 1 that helps a reviewer sort the queue; it decides nothing.

import type { Risk, RiskLevel } from '../../core/decision.ts';
import type { Facts } from '../../core/facts.ts';
import type { Policy } from './policy.ts';

/** First parts of destination names: money weighs 0.4, messages and customer records 0.3, the rest 0.2. */
const money = new Set(['stripe', 'quickbooks', 'netsuite', 'paypal', 'adyen', 'xero', 'plaid']);
const people = new Set([
  'sendgrid',
  'twilio',
  'slack',
  'zendesk',
  'intercom',
  'freshdesk',
  'loops',
  'mailgun',
  'postmark',
  'gmail',
  'ses',
  'salesforce',
  'hubspot',
  'pipedrive',
]);

export function riskOf(facts: Facts, policy: Policy | null, recordCount: number | null): Risk {
  const [service = ''] = facts.destination.name.split('.');
  const destination = money.has(service) ? 0.4 : people.has(service) ? 0.3 : 0.2;
  const value = (facts.estimatedValueUsd ?? 0) > 1000 ? 0.2 : 0;
  const tags = 0.1 * facts.sensitivityTags.length;
  const score = Math.round(Math.min(1, destination + records(recordCount, policy) + value + tags) * 100) / 100;
  return { score, level: levelOf(score) };
}

function records(recordCount: number | null, policy: Policy | null): number {
  const threshold = policy?.requireApprovalOver ?? policy?.autoApproveUnder ?? null;
  if (recordCount === null || recordCount === 0 || threshold === null) return 0;
  return 0.3 * Math.min(1, recordCount / threshold);
}

function levelOf(score: number): RiskLevel {
  if (score < 0.25) return 'low';
  if (score < 0.5) return 'medium';
  return score < 0.75 ? 'high' : 'critical';
}
