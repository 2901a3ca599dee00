// The destinations and policies that come with Gate fit together.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolve, type Entry } from '../../config/destinations.ts';
import { loadConfiguration } from '../../config/inForce.ts';
import { packageDir } from '../../config/load.ts';

const loaded = loadConfiguration({ policies: join(packageDir, 'policies'), configuration: join(packageDir, 'config') });
if ('faults' in loaded) throw new Error(loaded.faults.join('\n'));
const { policies, destinations } = loaded.value;
const lines: readonly (readonly [where: string, entry: Entry])[] = destinations.hosts.flatMap((host) => [
  [host.host, host] as const,
  ...host.paths.map(([path, entry]) => [`${host.host}${path}`, entry] as const),
]);

test('every shipped entry is judged by a shipped policy that lists its destination, or passes', () => {
  for (const [where, { writes, policy, destination }] of lines) {
    if (writes !== 'govern') continue;
    const judge = policies.get(policy ?? '');
    assert.ok(judge !== undefined, `${where}: policy "${policy}"`);
    assert.ok(destination !== null && judge.destinations?.includes(destination), `${where}: "${destination}"`);
  }
});

test('every shipped host is dialled over TLS, whatever the agent spoke', () => {
  for (const { host, scheme } of destinations.hosts) assert.equal(scheme, 'https', host);
});

test('the four names that the documents bind credentials to belong to governed entries', () => {
  for (const name of ['salesforce.api', 'sendgrid.send', 'stripe.charge', 'twilio.sms']) {
    const found = lines.filter(([, { destination }]) => destination === name);
    assert.ok(found.length > 0, name);
    for (const [where, { writes }] of found) assert.equal(writes, 'govern', where);
  }
});

test('the services of the documents have the reverse prefixes, dialects and holds of the contract', () => {
  const byHost = new Map(destinations.hosts.map((host) => [host.host, host]));
  assert.equal(byHost.get('api.stripe.com')?.reverse, '/stripe');
  assert.equal(byHost.get('api.sendgrid.com')?.reverse, '/sg');
  assert.equal(byHost.get('api.salesforce.com')?.reverse, '/sfdc');
  assert.equal(byHost.get('api.stripe.com')?.idempotent, 'trusted');
  for (const [host, dialect] of [
    ['api.stripe.com', 'stripe'],
    ['api.sendgrid.com', 'sendgrid'],
    ['my.salesforce.com', 'salesforce'],
    ['slack.com', 'slack'],
  ] as const) {
    assert.equal(byHost.get(host)?.dialect, dialect);
    assert.equal(byHost.get(host)?.holdSdkSeconds, 60);
    assert.equal(byHost.get(host)?.holdSeconds, 0);
  }
});

test('requests as the services’ own clients send them reach the destination of their name', () => {
  for (const [url, destination] of [
    ['https://api.stripe.com/v1/refunds', 'stripe.refund'],
    ['https://api.stripe.com/v1/charges/ch_1', 'stripe.charge'],
    ['https://api.stripe.com/v1/refunds2', 'stripe.other'],
    ['https://api.sendgrid.com/v3/mail/send', 'sendgrid.send'],
    ['https://acme.my.salesforce.com/services/data/v58.0/sobjects/Contact', 'salesforce.api'],
    ['https://api.salesforce.com/services/data/v58.0/sobjects/Contact', 'salesforce.api'],
    ['https://acme.salesforce.com/x', 'salesforce.api'],
    ['https://api.hubapi.com/crm/v3/objects/contacts', 'hubspot.contacts'],
    ['https://acme.zendesk.com/api/v2/tickets/35436.json', 'zendesk.reply'],
    ['https://api.intercom.io/conversations/1/reply', 'intercom.reply'],
    ['https://acme.freshdesk.com/api/v2/tickets/141/reply', 'freshdesk.reply'],
    ['https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json', 'twilio.sms'],
    ['https://quickbooks.api.intuit.com/v3/company/1/journalentry', 'quickbooks.journal'],
    ['https://1.suitetalk.api.netsuite.com/services/rest/record/v1/vendorPayment', 'netsuite.payment'],
    ['https://slack.com/api/chat.postMessage', 'slack.message'],
    ['https://app.loops.so/api/v1/transactional', 'loops.send'],
    ['https://api.openai.com/v1/chat/completions', 'model.openai'],
    ['https://api.anthropic.com/v1/messages', 'model.anthropic'],
    ['https://registry.npmjs.org/-/npm/v1/security/audits', 'registry.npm'],
  ] as const) {
    const { hostname, pathname } = new URL(url);
    const found = resolve(destinations, { scheme: 'https', host: hostname, port: 443, target: pathname });
    assert.equal('destination' in found ? found.destination : found.message, destination, url);
  }
});

test('a host that only looks like a shipped one is unknown', () => {
  for (const host of [
    'api.stripe.com.evil.test',
    'evilsalesforce.com',
    'salesforce.com',
    'stripe.com',
    'zendesk.com',
  ]) {
    const found = resolve(destinations, { scheme: 'https', host, port: 443, target: '/' });
    assert.equal('refused' in found ? found.refused : 'found', 'destination_unknown', host);
  }
});
