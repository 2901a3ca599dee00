import assert from 'node:assert/strict';
import { brotliCompressSync, deflateRawSync, gzipSync } from 'node:zlib';
import { after, before, test } from 'node:test';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startTestGate, type TestGate } from '../support/gate.ts';

let gate: TestGate;
let upstream: Upstream;

const base = 'require_approval: never\nauto_approve_under: 1\n';
before(async () => {
  upstream = await startUpstream();
  const dial = `dial: "127.0.0.1:${upstream.port}"`;
  gate = await startTestGate({
    policies: {
      words: `id: words\nblock_if_terms: [evil]\n${base}`,
      amount: `id: amount\nfield_checks: [{ path: amount, max: 100 }]\n${base}`,
      rows: `id: rows\nfield_checks: [{ path: "items[*].amount", max: 100 }]\n${base}`,
      count: `id: count\n${base}`,
      asks: 'id: asks\nrequire_approval: always\n',
    },
    destinations: `
words.test: { destination: a.b, policy: words, records: 1, ${dial} }
amount.test: { destination: a.b, policy: amount, records: 1, ${dial} }
rows.test: { destination: a.b, policy: rows, records: 1, ${dial} }
count.test: { destination: a.b, policy: count, extract_records: items, ${dial} }
paths.test: { destination: a.b, policy: count, records: 1, paths: { /v1/refunds: { destination: a.c, policy: asks } }, ${dial} }
__default__: { policy: count, records: 1, ${dial} }`,
  });
});
after(async () => {
  await gate.close();
  await upstream.close();
  assert.deepEqual(gate.faults, []);
});

const form = 'Content-Type: application/x-www-form-urlencoded';

async function send(host: string, body: string | Uint8Array, headers: readonly string[] = [form], target = '/x') {
  const n = upstream.requests.length;
  const answer = await gate.send({ url: `http://${host}.test${target}`, headers, body });
  assert.equal(upstream.requests.length, answer.status === 200 ? n + 1 : n);
  return answer.status;
}

test('a charset in which ASCII is not ASCII hides nothing from a reader that ignores it', async () => {
  for (const charset of ['utf-16le', 'shift_jis', 'iso-2022-jp']) {
    assert.equal(await send('words', 'so EVIL!', [`Content-Type: text/plain; charset=${charset}`]), 403, charset);
  }
  assert.equal(await send('amount', 'amount=9999&', [`${form}; charset=utf-16le`]), 403);
  assert.equal(await send('words', 'so good', ['Content-Type: text/plain; charset=iso-8859-1']), 200);
});

test('fields of a gzip header are not seen by the judge, so there are none', async () => {
  const name = Buffer.from('&amount=9999&x=\0');
  const head = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]), name]);
  const named = Buffer.concat([head, deflateRawSync('amount=1'), gzipSync('amount=1').subarray(-8)]);
  assert.equal(await send('amount', named, [form, 'Content-Encoding: gzip']), 403);
  assert.equal(await send('amount', gzipSync('amount=1'), [form, 'Content-Encoding: gzip']), 200);
});

test('forms that some readers take for another form are none', async () => {
  for (const body of [
    '{"amount":9999}&amount=1',
    "{'amount':9999}",
    'amount=1&x=1;amount=9999',
    'amount=1&[amount]=9999',
    'amount=1&amount]=9999',
    'amount=1&amount%00x=9999',
    'amount=9999e-2',
  ]) {
    assert.equal(await send('amount', body), 403, body);
  }
  for (const body of ['amount=1', 'amount=1&note=a;b', 'amount=99.5&items[0][x]=1']) {
    assert.equal(await send('amount', body), 200, body);
  }
});

test('C17: a field in the query is a field, where it is', async () => {
  assert.equal(await send('amount', 'amount=1', [form], '/x?amount=9999'), 403);
  assert.equal(await send('amount', 'amount=1', [form], '/x?amount=2'), 200);
});

test('lists with names instead of numbers are lists, and lists without numbers are not counted', async () => {
  assert.equal(await send('rows', 'items[0][amount]=1&items[a][amount]=9999'), 403);
  assert.equal(await send('rows', '{"items":{"a":{"amount":9999}}}', ['Content-Type: application/json']), 403);
  assert.equal(await send('rows', '{"items":[{"amount":9}]}', ['Content-Type: application/json']), 200);
  const many = Array.from({ length: 50 }, (_, n) => `items[][to]=u${n}`).join('&');
  assert.equal(await send('count', many), 202);
  assert.equal(await send('count', 'items[0][to]=u'), 200);
});

test('multipart names that readers take differently are refused', async () => {
  const part = (disposition: string) =>
    `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n9999\r\n--b--\r\n`;
  const type = ['Content-Type: multipart/form-data; boundary=b'];
  for (const name of [`name*=utf-8''amount; name="x"`, 'name*0="amo"; name*1="unt"; name="x"', `name='amount'`]) {
    assert.equal(await send('amount', part(name), type), 403, name);
  }
  assert.equal(await send('amount', part('name="other"'), type), 200);
});

test('H14: a few bytes that become eighty megabytes are judged apart, in turn', async () => {
  const tiny = brotliCompressSync(Buffer.alloc(20 << 20, 'a '));
  assert.ok(tiny.length < 256);
  const headers = ['Content-Type: text/plain', 'Content-Encoding: br'];
  const [judged, quick] = await Promise.all([
    send('words', tiny, headers),
    gate.send({ url: 'http://count.test/q', body: '{}' }),
  ]);
  assert.ok([200, 403].includes(judged), String(judged));
  assert.equal(quick.status, 202);
});

test('C08: what a lenient router would take for a listed path is not another path', async () => {
  for (const target of ['/v1/Refunds', '/V1/REFUNDS', '/v1/refunds.json', '/v1/refunds.', '/v1/refunds%20']) {
    assert.equal(await send('paths', '{}', [], target), 403, target);
  }
  assert.equal(await send('paths', '{}', [], '/v1/refunds'), 202);
  assert.equal(await send('paths', '{}', [], '/v1/refundsx'), 200);
});

test('a listed host on another port is not an unlisted one', async () => {
  assert.equal(await send('words', '{}', [], '/x'), 200);
  const answer = await gate.send({ url: 'http://words.test:8080/x', body: '{}' });
  assert.equal(answer.json()['reason_code'], 'destination_unknown');
  assert.equal((await gate.send({ url: 'http://nobody.test/x', body: '{}' })).status, 200);
});
