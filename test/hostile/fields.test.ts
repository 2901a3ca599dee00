// Group D of the threats where fields are concerned: amounts and addresses are judged as the receiver will read them.

import { after, before, test } from 'node:test';
import { openSite, type Sent, type Site } from './twins.ts';

let site: Site;
before(async () => {
  site = await openSite({
    amounts: { policy: 'field_checks: [{ path: amount, min: 1, max: 100 }]\nauto_approve_under: 1\n' },
    mails: {
      policy: `field_checks: [{ path: to, required: true, pattern: "^[^@]+@[^@]+\\\\.[^@]+$" }]\nauto_approve_under: 1\n`,
    },
    hosts: { policy: 'field_checks: [{ path: host, pattern: "example[.]com" }]\nauto_approve_under: 1\n' },
    batches: { policy: 'auto_approve_under: 2\n', entry: 'extract_records: items,' },
  });
});
after(() => site.close());

const json = (body: string): Sent => ({ body, type: 'application/json' });
const form = (body: string): Sent => ({ body, type: 'application/x-www-form-urlencoded' });
const parts = (...fields: readonly (readonly [string, string])[]): Sent => ({
  body: `${fields
    .map(([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join('')}--b--\r\n`,
  type: 'multipart/form-data; boundary=b',
});
const fails = (host: string, sent: Sent) =>
  site.refused(host, sent, 'field_check_failed', String(sent.body).slice(0, 80));
const arrives = (host: string, sent: Sent) => site.arrives(host, sent, String(sent.body).slice(0, 80));

test('an amount is the same in JSON, a form and a multipart body', async () => {
  for (const write of [
    (amount: string) => json(`{"amount":${amount}}`),
    (amount: string) => json(`{"amount":"${amount}"}`),
    (amount: string) => form(`amount=${amount}`),
    (amount: string) => parts(['amount', amount]),
  ]) {
    await fails('amounts', write('100.01'));
    await fails('amounts', write('0'));
    await arrives('amounts', write('100.00'));
  }
});

test('D17 a name given twice is refused in JSON and judged each time in a form', async () => {
  for (const body of ['{"amount":10,"amount":90}', '{"amount":10,"\\u0061mount":90}', '{"a":{"b":1,"b":2}}']) {
    await site.refused('amounts', json(body), 'undecodable_body', body);
  }
  await fails('amounts', form('amount=10&amount=9000'));
  await arrives('amounts', form('amount=10&amount=90'));
  await fails('amounts', parts(['amount', '10'], ['amount', '9000']));
  await fails('amounts', json('{"amount":10,"Amount":9000}'));
  await arrives('amounts', json('{"amount":10,"Amount":90}'));
});

test('D32 amounts compare as decimals, to the last digit', async () => {
  for (const amount of ['1', '100', '1e2', '99.99999999999999999999', '"50"']) {
    await arrives('amounts', json(`{"amount":${amount}}`));
  }
  for (const amount of [
    '100.000000000000001',
    '1e309',
    '-1e309',
    '1e-400',
    '-0',
    '9007199254740993',
    '"0x32"',
    '"1_0"',
    '"NaN"',
    '"50."',
    '[500]',
    '{"$numberLong":"50"}',
    'true',
  ]) {
    await fails('amounts', json(`{"amount":${amount}}`));
  }
});

test('D34 only own fields count, and every element of a list', async () => {
  await arrives('mails', json('{"to":"ada@example.com"}'));
  await arrives('mails', json('{"to":"ada@example.com","constructor":1}'));
  for (const body of [
    '{"__proto__":{"to":"ada@example.com"}}',
    '{"constructor":{"prototype":{"to":"ada@example.com"}}}',
    '{"To":"ada@example.com"}',
    '{"to":["ada@example.com","nobody"]}',
    '{"to":"ada@example.com","To":"nobody"}',
    '{}',
  ]) {
    await fails('mails', json(body));
  }
});

test('D35 of two readings of one body the stricter decides', async () => {
  await fails('amounts', form('{"amount":9000}'));
  await arrives('amounts', form('{"amount":90}'));
  await fails('amounts', { body: '{"amount":9000}', type: 'text/plain' });
  await arrives('amounts', { body: '{"amount":90}', type: 'text/plain' });
});

test('D40 a body without fields is refused where fields are checked', async () => {
  await site.refused('amounts', { body: 'amount 50', type: 'text/plain' }, 'undecodable_body');
  await site.refused('amounts', { body: Buffer.from([8, 150, 1]), type: 'application/x-protobuf' }, 'undecodable_body');
});

test('D43 records are counted from the body; a count that nobody knows lets nothing pass', async () => {
  await arrives('batches', json('{"items":[1,2]}'));
  for (const body of ['{"items":[1,2,3]}', '{"items":{"length":1}}', '{}', '{"items":[1],"Items":[1,2,3]}']) {
    const answer = await site.gate.send({
      url: 'http://batches.test/x',
      headers: ['Content-Type: application/json'],
      body,
    });
    if (answer.status !== 202) throw new Error(`${body}: ${answer.status}`);
  }
});

test('D46 the documented e-mail pattern answers for 200 KB', async () => {
  await fails('mails', json(`{"to":"${'a'.repeat(200_000)}"}`));
  await fails('mails', json(`{"to":"a@${'b.'.repeat(100_000)}@"}`));
  await arrives('mails', json(`{"to":"a@${'b.'.repeat(100_000)}c"}`));
});

test('D47 a pattern is of the whole value, on one line and in this case', async () => {
  for (const host of ['example.com.evil', 'xexample.com', 'Example.com', 'example.com\\n', 'exampleXcom']) {
    await fails('hosts', json(`{"host":"${host}"}`));
  }
  await arrives('hosts', json('{"host":"example.com"}'));
});
