// Group C of the threats, through a real Gate: a path that leads to two entries is refused, an honest one leaves as sent.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openSite, type Site } from './twins.ts';

let site: Site;
before(async () => {
  site = await openSite({
    api: {
      policy: 'auto_approve_under: 1\ndestinations: [api.write, api.charge]\n',
      entry: 'paths: { /v1/refunds: { destination: api.refund }, /v1/charges: { destination: api.charge } },',
    },
  });
});
after(() => site.close());

const arrives = (target: string) => site.arrives('api', { body: '{}', target }, target);
const isRefund = (target: string) => site.refused('api', { body: '{}', target }, 'destination_not_allowed', target);

async function refused(target: string, status: number, reason: string): Promise<void> {
  const n = site.upstream.connections;
  const client = site.gate.client();
  const lines = [`POST http://api.test${target} HTTP/1.1`, 'Host: api.test', 'Content-Length: 2'];
  const key = Buffer.from(`agent:${site.gate.agentKey}`).toString('base64');
  client.send(`${lines.join('\r\n')}\r\nProxy-Authorization: Basic ${key}\r\n\r\n{}`);
  const answer = await client.answer();
  client.end();
  assert.equal(`${answer.status} ${String(answer.json()['reason_code'])}`, `${status} ${reason}`, target);
  assert.equal(site.upstream.connections, n, target);
}

test('the control: refunds are not allowed, charges and the rest are', async () => {
  await isRefund('/v1/refunds');
  await isRefund('/v1/refunds/re_1');
  await arrives('/v1/charges');
  await arrives('/v1/refundsx');
});

test('C01 C02 C04 C05 C07 a path that some server reads as another entry’s is refused', async () => {
  for (const target of [
    '/v1/charges/../refunds',
    '/v1/charges/%2e%2e/refunds',
    '/v1/charges/.%2e/refunds',
    '/v1/charges/%2e./refunds',
    '/v1/charges/%252e%252e%252frefunds',
    '/v1/charges/%2e%2e%2frefunds',
    '/v1/charges/..;/refunds',
    '/v1/charges/..;a=b/refunds',
    '/v1/charges/%2e%2e;x/refunds',
    '/v1\\refunds',
    '/v1/charges\\..\\refunds',
    '/v1/x/..%5crefunds',
    '//v1/refunds',
    '/v1//refunds',
    '/v1/./refunds',
    '/v1;x/refunds',
    '/v1/%72efunds',
  ]) {
    await refused(target, 403, 'ambiguous_path');
  }
});

test('C11 C13 a path whose encoding is broken is malformed', async () => {
  for (const target of [
    '/v1/%c0%ae%c0%ae',
    '/v1/%ff',
    '/v1/%u002e',
    '/v1/%zz',
    '/v1/%',
    '/v1/%2',
    '/v1/a%00b',
    '/v1/%0d%0a',
  ]) {
    await refused(target, 400, 'bad_request');
  }
});

test('C14 the query never changes where a path leads', async () => {
  await arrives('/v1/charges?x=/../refunds');
  await arrives('/v1/charges?next=%2e%2e%2frefunds&to=a&to=b');
  await isRefund('/v1/refunds?x=/../charges');
});

test('C16 honest paths with encoded letters leave byte for byte as they were sent', async () => {
  for (const target of [
    '/npm/@sentry%2fbun',
    '/projects/group%2Fproj/issues',
    '/a%20b',
    '/100%25',
    '/v1/charges/ch_1%2F2',
    '/a//b',
  ]) {
    await arrives(target);
  }
});
