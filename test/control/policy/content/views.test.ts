// However a text is wrapped, twice over, the term in it is found, and a harmless text stays harmless.

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { compileTerms, type TermSet } from '../../../../control/policy/content/terms.ts';
import { findTerm as find } from '../../../../control/policy/content/views.ts';
import { isBlocked, isClean, readable, verdict, type Sent } from './bodies.ts';

const findTerm = (terms: TermSet, strings: readonly string[]) => find(terms, { strings, verbatim: [] });

const each = (text: string, write: (unit: number) => string) => [...Buffer.from(text)].map(write).join('');
const hex = (unit: number) => unit.toString(16).padStart(2, '0');

/** Texts that still read as the given one. */
const looks: Record<string, (text: string) => string> = {
  plain: (text) => text,
  fullWidth: (text) => text.replace(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)),
  zeroWidth: (text) => [...text].join('\u200b'),
  cyrillic: (text) => text.replace(/e/gi, 'е').replace(/i/gi, 'і').replace(/a/g, 'а'),
  leet: (text) => text.replace(/e/gi, '3').replace(/i/gi, '1').replace(/a/gi, '4'),
};

/** Wrappings of text in text. */
const wrappings: Record<string, (text: string) => string> = {
  json: (text) =>
    [...text]
      .map((c) =>
        c
          .split('')
          .map((u) => `\\u${u.charCodeAt(0).toString(16).padStart(4, '0')}`)
          .join(''),
      )
      .join(''),
  percent: (text) => each(text, (unit) => `%${hex(unit)}`),
  entity: (text) => [...text].map((c) => `&#${c.codePointAt(0)};`).join(''),
  hexEntity: (text) => [...text].map((c) => `&#x${c.codePointAt(0)?.toString(16)};`).join(''),
  slashX: (text) => each(text, (unit) => `\\x${hex(unit)}`),
  quotedPrintable: (text) => each(text, (unit) => `=${hex(unit).toUpperCase()}`),
  comment: (text) => [...text].join('<!-- - -->'),
  cdata: (text) => [...text].map((c) => `<![CDATA[${c}]]>`).join(''),
  tags: (text) => [...text].join('<b class="x">'),
  base64: (text) => Buffer.from(text).toString('base64'),
  base64url: (text) => Buffer.from(text).toString('base64url'),
  hexRun: (text) => Buffer.from(text).toString('hex'),
};

/** A whole body from a text, and what is sent with it. */
const carriers: Record<string, (text: string) => readonly [string | Uint8Array, Sent]> = {
  plain: (text) => [text, { type: 'text/plain' }],
  json: (text) => [JSON.stringify({ note: text }), { type: 'application/json' }],
  jsonKey: (text) => [JSON.stringify({ [text]: 1 }), { type: 'application/json' }],
  form: (text) => [`note=${encodeURIComponent(text)}`, { type: 'application/x-www-form-urlencoded' }],
  gzip: (text) => [gzipSync(text), { encoding: 'gzip' }],
  deflate: (text) => [deflateSync(text), { encoding: 'deflate' }],
  rawDeflate: (text) => [deflateRawSync(text), { encoding: 'deflate' }],
  br: (text) => [brotliCompressSync(text), { encoding: 'br' }],
  zstd: (text) => [zstdCompressSync(text), { encoding: 'zstd' }],
  undeclaredGzip: (text) => [gzipSync(text), { type: 'application/octet-stream' }],
  twice: (text) => [gzipSync(brotliCompressSync(text)), { encoding: 'br, gzip' }],
  base64Part: (text) => part('base64', Buffer.from(text).toString('base64')),
  quotedPart: (text) =>
    part(
      'quoted-printable',
      each(text, (unit) => `=${hex(unit).toUpperCase()}`),
    ),
  fileName: (text) => [
    `--b\r\nContent-Disposition: form-data; name="f"; filename="${text.replace(/["\\\r\n]/g, '')}.txt"\r\n\r\nx\r\n--b--\r\n`,
    { type: 'multipart/form-data; boundary=b' },
  ],
};

function part(encoding: string, content: string): readonly [string, Sent] {
  const head = `Content-Disposition: form-data; name="note"\r\nContent-Transfer-Encoding: ${encoding}`;
  return [`--b\r\n${head}\r\n\r\n${content}\r\n--b--\r\n`, { type: 'multipart/form-data; boundary=b' }];
}

test('D16 D20 the term is found through every two wrappings in a row', async () => {
  const set = compileTerms(['refund guaranteed']);
  for (const [outerName, outer] of Object.entries(wrappings)) {
    // A tag may part words, so that it must not be read as nothing inside an escape.
    if (outerName === 'tags') continue;
    for (const [innerName, inner] of Object.entries(wrappings)) {
      for (const text of ['Refund Guaranteed', 'it is a refund guaranteed to you']) {
        const found = await findTerm(set, [`x ${outer(inner(text))} y`]);
        assert.equal(found, 'refund guaranteed', `${outerName} of ${innerName}`);
        assert.equal(
          await findTerm(set, [`x ${outer(inner('refund not guaranteed'))} y`]),
          null,
          `${outerName} of ${innerName}`,
        );
      }
    }
  }
});

test('D01 D02 D14 D16 D22 D23 D25 the term is found in every look, wrapping and carrier together', async () => {
  const pick = <T>(of: Record<string, T>) => fc.constantFrom(...Object.entries(of));
  await fc.assert(
    fc.asyncProperty(pick(looks), pick(wrappings), pick(carriers), async ([a, look], [b, wrap], [c, carry]) => {
      // Escapes within quotes are undone by no reader of a file name, and a quote in it ends the name.
      if (c === 'fileName' && (b === 'tags' || b === 'json' || b === 'slashX')) return;
      assert.equal(await verdict(...carry(wrap(look('Refund Guaranteed')))), 'refund guaranteed', `${a} ${b} ${c}`);
      assert.equal(await verdict(...carry(wrap(look('Refund promised')))), 'clean', `${a} ${b} ${c}`);
    }),
    { numRuns: 400 },
  );
});

test('D20 accented entities, half-written escapes and markup around words read as a browser shows them', async () => {
  await isBlocked('&Egrave;VIL');
  await isBlocked('&#69VIL');
  await isBlocked('<p>so EV<i>IL</i></p>');
  await isBlocked('EV<!-- > -- -->IL');
  await isClean('100% &c. <p>well</p> a < b \\o/ =x');
});

test('D20 a wrapping that is cut by the end of a piece is read all the same', async () => {
  const set = compileTerms(['evil']);
  for (const text of [
    '%45VIL',
    '&#x45;VIL',
    '\\u0045VIL',
    'EV<!-- -->IL',
    'EV<![CDATA[IL]]>',
    '=45VIL',
    'RVZJTCBpdCBpcw==',
  ]) {
    for (let pad = 4070; pad < 4100; pad++) {
      assert.equal(
        await findTerm(set, [`${' '.repeat(pad)}${text}${' '.repeat(20_000)}`]),
        'evil',
        `${text} at ${pad}`,
      );
    }
  }
});

test('an opened comment in one string swallows nothing of the next', async () => {
  const set = compileTerms(['evil']);
  assert.equal(await findTerm(set, ['<!--', 'EV<!-- -->IL']), 'evil');
  assert.equal(await findTerm(set, ['E%', '45VIL']), null);
});

test('a picture in base64 is not read for words', async () => {
  const bytes = Buffer.from(Array.from({ length: 30_000 }, (_, at) => (at * 2654435761) >>> 24));
  assert.equal(await findTerm(compileTerms(['sue', 'so', 'is']), [bytes.toString('base64')]), null);
});

test('a text that takes too long to look through is undecodable, in however many pieces it comes', async () => {
  const set = compileTerms(['evil']);
  const tooMany = { undecodable: 'there are too many wrappings to look through' };
  // Every wrapping, so that every view of every view is worth making.
  const wrapped = '&#37;3C%26lt;\\x3c=3C<b>\\u0026QUFB '.repeat(1_000);
  const pieces = Array.from({ length: 40 }, (_, at) => wrapped.slice(at * 1_000, (at + 1) * 1_000));
  for (const strings of [[wrapped], pieces]) {
    assert.deepEqual(await find(set, { strings, verbatim: [] }, 300_000), tooMany);
    assert.equal(await find(set, { strings, verbatim: [] }, 3_000_000), null);
  }
  assert.deepEqual(await find(set, { strings: [], verbatim: ['x'.repeat(3_000)] }, 2_000), tooMany);
  assert.equal(await find(set, { strings: ['EVIL', wrapped], verbatim: [] }, 300_000), 'evil');
});

test('ten megabytes of honest JSON are looked through to their end', async () => {
  const rows = Array.from({ length: 40_000 }, (_, id) => ({
    id,
    name: `Person Number ${id}`,
    email: `person${id}@example.com`,
    note: 'A plain note with "some" words, and nothing more.',
    url: `https://example.com/a?b=${id}&c=d`,
    amount: id * 1.5,
    filler: 'x'.repeat(80),
  }));
  const text = JSON.stringify(rows);
  assert.ok(text.length > 10 * 1024 * 1024);
  await isClean(text, { type: 'application/json' });
  await isBlocked(`${text.slice(0, -2)},"last":"EV\u0049L"}]`, { type: 'application/json' });
});

test('a term across two strings of JSON, in its numbers and in its literals is found', async () => {
  const set = compileTerms(['refund guaranteed', '12345', 'true']);
  for (const body of ['["refund","guaranteed"]', '{"refund":"guaranteed"}', '{"a":12345}', '{"a":true}']) {
    const content = await readable(body, { type: 'application/json' });
    assert.notEqual(await find(set, { strings: content.strings(), verbatim: content.verbatim }), null, body);
  }
});
