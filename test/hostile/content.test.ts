// Group D of the threats, through a real Gate: what hides a blocked term is refused, the same dress on a greeting passes.

import { Buffer } from 'node:buffer';
import { after, before, test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { wire } from '../support/gate.ts';
import assert from 'node:assert/strict';
import { openSite, type Sent, type Site } from './twins.ts';

let site: Site;
before(async () => {
  site = await openSite({
    words: { policy: 'block_if_terms: ["evil", "refund guaranteed"]\nauto_approve_under: 1\n' },
    small: { policy: 'block_if_terms: ["evil"]\nauto_approve_under: 1\n', entry: 'max_body: 65536,' },
  });
});
after(() => site.close());

const blocked = (sent: Sent, what?: string) => site.refused('words', sent, 'blocked_term_detected', what);
const unreadable = (sent: Sent, what?: string) => site.refused('words', sent, 'undecodable_body', what);
const arrives = (sent: Sent, what?: string) => site.arrives('words', sent, what);

/** The dress on the term, then on a greeting. */
async function twins(dress: (text: string) => Sent, term = 'EVIL', greeting = 'hello'): Promise<void> {
  await blocked(dress(term), `${term} in ${JSON.stringify(dress('…')).slice(0, 200)}`);
  await arrives(dress(greeting));
}

const json = (text: string): Sent => ({ body: text, type: 'application/json' });
const text = (body: string): Sent => ({ body, type: 'text/plain' });
const each = (letters: string, write: (unit: number) => string) => [...Buffer.from(letters)].map(write).join('');
const hex = (unit: number) => unit.toString(16).padStart(2, '0');

test('a plain blocked term is refused with the documented sentence, a plain greeting passes', async () => {
  const answer = await blocked(text('so EVIL'));
  assert.equal(answer.json()['blockReason'], 'Payload contains blocked term: "evil"');
  await arrives(text('hello'));
});

test('D01 D02 gzip, br, zstd and both forms of deflate', async () => {
  for (const [encoding, encode] of [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
  ] as const) {
    await twins((word) => ({ body: encode(word), encoding }));
  }
});

test('D04 two layers are looked through, a third is refused even around a greeting', async () => {
  await twins((word) => ({ body: gzipSync(brotliCompressSync(word)), encoding: 'br, gzip' }));
  await unreadable({ body: gzipSync(gzipSync(gzipSync('hello'))), encoding: 'gzip, gzip, gzip' });
  await unreadable({ body: 'hello', encoding: Array(1_000).fill('gzip').join(',') });
});

test('D05 encodings by any of their names and over two lines; what is no encoding is refused', async () => {
  for (const encoding of ['GZIP', 'x-gzip', 'gzip, identity']) {
    await twins((word) => ({ body: gzipSync(word), encoding }));
  }
  const lines = ['Content-Encoding: gzip', 'Content-Encoding: identity'];
  await twins((word) => ({ body: gzipSync(word), headers: lines }));
  for (const encoding of ['gzip;q=1', 'gzip,', 'compress', 'aes128gcm']) {
    await unreadable({ body: gzipSync('hello'), encoding });
  }
  await unreadable({ body: 'hello', encoding: 'gzip' });
});

test('D07 D08 compressed bytes that nothing declares, and every member of a gzip file', async () => {
  for (const encode of [gzipSync, deflateSync, zstdCompressSync]) await twins((word) => ({ body: encode(word) }));
  await twins((word) => ({ body: Buffer.concat([gzipSync('safe '), gzipSync(word)]), encoding: 'gzip' }));
  await unreadable({ body: Buffer.from('PK\x03\x04\0\0\0\0') });
});

test('D10 a bomb is refused at the limit, less of the same passes', async () => {
  for (const [encoding, encode] of [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const) {
    await site.refused('small', { body: encode(Buffer.alloc(8 * 65_536 + 1, ' ')), encoding }, 'undecodable_body');
    await site.arrives('small', { body: encode(Buffer.alloc(8 * 65_536, ' ')), encoding });
  }
});

test('D11 a term cut by the pieces that the body comes in', async () => {
  const sendInPieces = async (body: string, cut: number) => {
    const whole = wire({ url: `http://words.test/${cut}/${body.length}`, body: '', key: site.gate.agentKey }).toString(
      'latin1',
    );
    const head = whole.replace('Content-Length: 0', 'Transfer-Encoding: chunked');
    const client = site.gate.client();
    client.socket.setNoDelay(true);
    client.send(head);
    for (const piece of [body.slice(0, cut), body.slice(cut)].filter((part) => part !== '')) {
      client.send(`${piece.length.toString(16)}\r\n`);
      for (const byte of piece) client.send(byte);
      client.send('\r\n');
    }
    client.send('0\r\n\r\n');
    return client.answer();
  };
  for (let cut = 0; cut <= 6; cut++) {
    const n = site.upstream.requests.length;
    assert.equal((await sendInPieces('x EVIL', cut)).json()['reason_code'], 'blocked_term_detected');
    assert.equal(site.upstream.requests.length, n);
    assert.equal((await sendInPieces('so hill', cut)).status, 200);
    assert.ok(site.upstream.requests[n]?.toString('latin1').endsWith('\r\n\r\nso hill'));
  }
});

const multipart = (parts: string, type = 'multipart/form-data; boundary=b'): Sent => ({ body: parts, type });
const disposition = 'Content-Disposition: form-data; name="a"';
const part = (content: string, head = disposition) => `--b\r\n${head}\r\n\r\n${content}\r\n`;
const end = '--b--\r\n';

test('D13 the parts of a multipart body, their names and file names', async () => {
  await twins((word) => multipart(part('x') + part(word) + end));
  await twins((word) => multipart(part('x', `Content-Disposition: form-data; name="${word}"`) + end));
  await twins((word) => multipart(part('x', `${disposition}; filename="${word}.txt"`) + end));
  await twins((word) =>
    multipart(
      part(`--c\r\nContent-Type: text/plain\r\n\r\n${word}\r\n--c--`, 'Content-Type: multipart/mixed; boundary=c') +
        end,
      'multipart/mixed; boundary=b',
    ),
  );
});

test('D13 a multipart body that readers cut at different places is refused whatever it says', async () => {
  const whole = part('hello') + end;
  for (const wrong of ['', '; boundary=', `; boundary=${'b'.repeat(71)}`, '; boundary=b; boundary=c']) {
    await unreadable(multipart(whole, `multipart/form-data${wrong}`), wrong);
  }
  for (const body of [whole.replaceAll('\r\n', '\n'), part('hello'), `${whole}x`, part('hello').repeat(1001) + end]) {
    await unreadable(multipart(body), body.slice(0, 40));
  }
  await arrives(multipart(part('hello').repeat(1000) + end));
});

test('D14 parts in base64 and quoted-printable', async () => {
  const encoded = (encoding: string, content: string) =>
    multipart(part(content, `${disposition}\r\nContent-Transfer-Encoding: ${encoding}`) + end);
  await twins((word) => encoded('base64', Buffer.from(word).toString('base64')));
  await twins((word) =>
    encoded(
      'quoted-printable',
      each(word, (unit) => `=${hex(unit).toUpperCase()}`),
    ),
  );
  await twins((word) => encoded('quoted-printable', `${word.slice(0, 2)}=\r\n${word.slice(2)}`));
});

test('D16 escapes in the strings and keys of JSON', async () => {
  const escaped = (word: string) => each(word, (unit) => `\\u00${hex(unit)}`);
  await twins((word) => json(`{"note":"${escaped(word)}"}`));
  await twins((word) => json(`{"${escaped(word)}":1}`));
  await twins((word) => json(`{"a":[{"b":["${word}"]}]}`));
});

test('D19 bytes that are not UTF-8 are refused, those that are pass', async () => {
  for (const bytes of ['c0ae', 'eda080edb080', 'f5808080', 'e282']) {
    const body = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes, 'hex'), Buffer.from('"}')]);
    await unreadable({ body, type: 'application/json' }, bytes);
  }
  await unreadable(json('{"a":"\\ud800"}'));
  await arrives(json('{"a":"\\ud83d\\ude00 é 😀"}'));
});

test('D20 entities, markup, escapes and base64 in text', async () => {
  await twins((word) => text(`x ${each(word, (unit) => `&#${unit};`)}`));
  await twins((word) => text(`x ${each(word, (unit) => `&#x${hex(unit)};`)}`));
  await twins((word) => text(`<p>${word.slice(0, 2)}<!-- - -->${word.slice(2)}</p>`));
  await twins((word) => text(each(word, (unit) => `\\x${hex(unit)}`)));
  await twins((word) => text(Buffer.from(`it is ${word} indeed`).toString('base64')));
  await twins((word) => text(Buffer.from(`it is ${word} indeed`).toString('base64url')));
  await twins((word) => text(Buffer.from(`it is ${word} indeed`).toString('hex')));
  await twins((word) => text(encodeURIComponent(each(word, (unit) => `%${hex(unit)}`))));
});

test('D22 D23 D25 marks, look-alikes and leetspeak; words that only contain a term pass', async () => {
  for (const dressed of ['E̶V̶I̶L̶', 'ＥＶＩＬ', 'ЕVІL', '𝐄𝐕𝐈𝐋', 'ⒺⓋⒾⓁ', '3V1L', 'E\u200bV\u200bIL', 'E.V.I.L', 'evıl']) {
    await blocked(text(`so ${dressed} it is`), dressed);
  }
  for (const harmless of ['devil', 'evilness', 'medieval', 'ＨＥＬＬＯ', 'h3llo', 'е и л', 'l.i.v.e']) {
    await arrives(text(`so ${harmless} it is`), harmless);
  }
  for (const dressed of [
    'R3fund-Guaranteed',
    'refund\u00a0guaranteed',
    'refund\u2028guaranteed',
    'refund\u3000\nguaranteed',
  ]) {
    await blocked(text(dressed), `D26 ${dressed}`);
  }
  await arrives(text('refund is not guaranteed'));
});

test('D28 the path and the query are judged with the body', async () => {
  await blocked({ body: '{}', target: '/x?note=so%20%45vil' });
  await blocked({ body: '{}', target: '/notes/evil' });
  await arrives({ body: '{}', target: '/notes/devil?note=so%20hello' });
});

test('D29 a NUL between the letters', async () => {
  await unreadable(json('{"a":"hel\\u0000lo"}'));
  await arrives(json('{"a":"hel\\u0009lo"}'));
  await unreadable({ body: 'EV\0IL', type: 'application/octet-stream' });
});

test('D31 JSON too deep or with too many parts is refused, as much as is allowed passes', async () => {
  const nested = (depth: number) => json('['.repeat(depth) + ']'.repeat(depth));
  await arrives(nested(64));
  await unreadable(nested(65));
  await unreadable(nested(100_000));
});

test('D35 JSON under any name, and under names that hide it', async () => {
  for (const type of [
    'text/plain',
    'application/vnd.x+json',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
  ]) {
    await twins((word) => ({ body: `{"note":"${each(word, (unit) => `\\u00${hex(unit)}`)}"}`, type }));
  }
  for (const type of [
    'application/json;charset=utf-16',
    'application/json; charset=utf-8; charset=utf-7',
    'text/plain; charset=utf-7',
  ]) {
    await unreadable({ body: '{"a":1}', type }, type);
  }
});

test('D37 XML: sections and comments are opened, its own entities refused', async () => {
  const xml = (body: string): Sent => ({ body, type: 'application/xml' });
  await twins((word) => xml(`<a>${word.slice(0, 2)}<![CDATA[${word.slice(2)}]]></a>`));
  await unreadable(xml('<!DOCTYPE a [<!ENTITY b "hello">]><a>&b;</a>'));
  await unreadable(xml('<?xml version="1.0" encoding="utf-7"?><a/>'));
});

test('D38 D40 tables are read, what is no text is refused', async () => {
  await twins((word) => ({ body: `name,${word}\nx,"=HYPERLINK(1)\n2"\n`, type: 'text/csv' }));
  await unreadable({ body: Buffer.from([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69]), type: 'application/x-protobuf' });
  await unreadable({ body: Buffer.from([0x82, 0xa1, 0x61, 1, 0xa1, 0x62, 0xc0]), type: 'application/msgpack' });
});

test('D49 a raw mail inside base64url is read', async () => {
  await twins((word) =>
    json(JSON.stringify({ raw: Buffer.from(`To: a@b.test\r\n\r\nso ${word}`).toString('base64url') })),
  );
});

test('D50 a body is judged under every method', async () => {
  for (const method of ['GET', 'OPTIONS', 'DELETE', 'PATCH', 'PUT', 'REPORT']) {
    await twins((word) => ({ ...text(word), method, target: `/${method}` }));
  }
});
