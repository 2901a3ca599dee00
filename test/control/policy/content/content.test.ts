// Bodies are decoded wholly and in one way only, or not at all.

import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { test } from 'node:test';
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  inflateRawSync,
  inflateSync,
  zstdCompressSync,
} from 'node:zlib';
import { isBlocked, isClean, isRefused, json, readable } from './bodies.ts';

test('D01 a gzipped term is found and a gzipped greeting passes', async () => {
  await isBlocked(gzipSync('EVIL'), { encoding: 'gzip' });
  await isClean(gzipSync('hello'), { encoding: 'gzip' });
});

test('D02 br, zstd and both forms of deflate are decoded', async () => {
  for (const [encoding, encode] of [
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
  ] as const) {
    await isBlocked(encode('EVIL'), { encoding });
    await isClean(encode('hello'), { encoding });
  }
});

test('D02 deflate data that reads in two ways is refused', async () => {
  // A stored block behind a zlib header; read raw, the header begins a stored block of 412 bytes and another follows.
  const data = Buffer.alloc(0xfe63, ' ');
  const rest = data.length + 11 - 422;
  Buffer.from([1, rest & 255, rest >> 8, ~rest & 255, (~rest >> 8) & 255]).copy(data, 410);
  const checksum = adler32(data);
  const both = Buffer.concat([Buffer.from([0x78, 0x9c, 0x01, 0x63, 0xfe, 0x9c, 0x01]), data, checksum]);
  assert.notDeepEqual(inflateSync(both), inflateRawSync(both));
  await isRefused(both, { encoding: 'deflate' });
});

function adler32(bytes: Uint8Array): Buffer {
  return deflateSync(bytes).subarray(-4);
}

test('D04 two layers are decoded and a third is refused', async () => {
  await isBlocked(gzipSync(gzipSync('EVIL')), { encoding: 'gzip, gzip' });
  await isClean(gzipSync(gzipSync('hello')), { encoding: 'gzip, gzip' });
  await isRefused(gzipSync(gzipSync(gzipSync('EVIL'))), { encoding: 'gzip, gzip, gzip' });
  await isRefused('x', { encoding: Array(10_000).fill('gzip').join(',') });
});

test('D05 encodings are read by name, and what is no name is refused', async () => {
  for (const encoding of ['GZIP', 'x-gzip', ' gzip ', 'identity, gzip', 'gzip, identity']) {
    await isBlocked(gzipSync('EVIL'), { encoding });
    await isClean(gzipSync('hello'), { encoding });
  }
  for (const encoding of ['gzip;q=1', 'gzip,', '', 'compress', 'aes128gcm', 'toString']) {
    await isRefused(gzipSync('hello'), { encoding });
  }
});

test('D05 data that is not what the encoding says, is cut short or has something behind it is refused', async () => {
  await isRefused('hello', { encoding: 'gzip' });
  for (const [encoding, encode] of [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
  ] as const) {
    const whole = encode('hello, hello');
    await isRefused(whole.subarray(0, -1), { encoding });
    await isRefused(Buffer.concat([whole, Buffer.from('EVIL')]), { encoding });
    await isRefused(Buffer.concat([whole, Buffer.alloc(8)]), { encoding });
  }
});

test('D07 compressed bytes that nothing declares are read both ways', async () => {
  for (const encode of [gzipSync, deflateSync, zstdCompressSync]) {
    await isBlocked(encode('EVIL'));
    await isClean(encode('hello'));
  }
  await isBlocked(Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.from(' EVIL')]));
  assert.equal((await readable(Buffer.from('PK\x03\x04\0\0\0\0'))).isOpaque, true);
  assert.equal((await readable('hello')).isOpaque, false);
});

test('D08 every member of a gzip file is read', async () => {
  await isBlocked(Buffer.concat([gzipSync('safe '), gzipSync('EVIL')]), { encoding: 'gzip' });
  await isBlocked(Buffer.concat([gzipSync('EV'), gzipSync('IL')]), { encoding: 'gzip' });
  await isClean(Buffer.concat([gzipSync('safe'), gzipSync('EVIL')]), { encoding: 'gzip' });
});

test('D10 a bomb is refused at the limit, declared or not', async () => {
  const bomb = Buffer.alloc(4 << 20);
  for (const [encoding, encode] of [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['deflate', deflateSync],
  ] as const) {
    await isRefused(encode(bomb), { encoding, limitBytes: 1 << 20 });
    await isClean(encode(bomb), { encoding, limitBytes: 1 << 23 });
  }
  await isRefused(gzipSync(bomb), { limitBytes: 1 << 20 });
});

test('D16 escapes in JSON strings and keys are undone', async () => {
  await isBlocked('{"a":"\\u0045VIL"}', json);
  await isBlocked('{"\\u0045\\u0056\\u0049\\u004c":1}', json);
  await isClean('{"\\u0061mount":"\\u0048i"}', json);
});

test('D19 JSON that is not UTF-8 is refused', async () => {
  for (const bytes of ['c0ae', 'eda080edb080', 'f5808080', 'e282', '80', 'ff']) {
    await isRefused(Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes, 'hex'), Buffer.from('"}')]), json);
  }
  await isRefused('{"a":"\\ud800"}', json);
  await isRefused('{"a":"\\ud800\\u0041"}', json);
  await isClean('{"a":"\\ud83d\\ude00 é 😀"}', json);
});

test('D35 JSON is JSON whatever the body is called', async () => {
  const types = [
    null,
    'text/plain',
    'application/vnd.x+json',
    'application/octet-stream',
    'application/x-amz-json-1.1',
  ];
  for (const type of types) {
    const content = await readable(' {"amount":9000}', { type });
    assert.deepEqual(content.kinds, ['json'], String(type));
    assert.equal(content.documents.length, 1);
    await isRefused('{"amount":10,"amount":9000}', { type });
  }
  assert.deepEqual((await readable('[draft] hello', { type: 'text/plain' })).kinds, ['text']);
});

test('D35 a form that is JSON is read both ways', async () => {
  const content = await readable('{"amount":9000}', { type: 'application/x-www-form-urlencoded' });
  assert.deepEqual(content.kinds, ['form', 'json']);
  assert.equal(content.documents.length, 2);
});

test('D35 another charset, a byte order mark or a malformed media type does not get JSON past the policy', async () => {
  await isRefused('{"a":1}', { type: 'application/json;charset=utf-16' });
  await isRefused('\ufeff{"a":1}', json);
  await isRefused('\ufeff{"a":1}', { type: 'text/plain' });
  await isRefused('{"a":1}', { type: 'application/json; charset=utf-8; charset=utf-7' });
  await isRefused('{"a":1}', { type: 'application/json, text/plain' });
  await isRefused('hello', { type: 'text/plain; charset=utf-7' });
  await isClean('{"a":1}', { type: 'application/json; charset=UTF-8' });
  await isClean('\ufeff"name","amount"\n"x","1"\n', { type: 'text/csv' });
});

test('text in other charsets is read in them where plain ASCII stays itself, and else refused', async () => {
  await isBlocked(Buffer.from('\ufeffEVIL', 'utf16le'), { type: 'text/plain' });
  await isRefused(Buffer.from('EVIL', 'utf16le'), { type: 'text/plain; charset=utf-16le' });
  await isBlocked(Buffer.from('caf\xe9 EVIL', 'latin1'), { type: 'text/csv' });
  await isClean(Buffer.from('caf\xe9', 'latin1'), { type: 'text/csv' });
});

test('D37 XML is scanned without comments and sections, and its own document type is refused', async () => {
  const xml = { type: 'application/xml' };
  await isBlocked('<a>EV<![CDATA[IL]]></a>', xml);
  await isBlocked('<a>EV<!-- -->IL</a>', xml);
  await isRefused('<!DOCTYPE a [<!ENTITY b "EVIL">]><a>&b;</a>', xml);
  await isRefused('<?xml version="1.0" encoding="utf-7"?><a/>', xml);
  await isClean('<?xml version="1.0" encoding="UTF-8"?><a>hello</a>', xml);
});

test('D38 a term in the head of a table or over a quoted line break is found', async () => {
  await isBlocked('name,evil\nx,1\n', { type: 'text/csv' });
  assert.equal((await readable('a,b\n1,2\n')).kinds[0], 'csv');
  await isClean('name,"two\nlines"\nx,1\n', { type: 'text/csv' });
});

test('D40 a body that is no text says so', async () => {
  const content = await readable(Buffer.from([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69]), {
    type: 'application/x-protobuf',
  });
  assert.equal(content.isOpaque, true);
  assert.deepEqual(content.kinds, ['binary']);
  const mislabelled = await readable(Buffer.from([0, 1, 2, 3]), { type: 'text/csv' });
  assert.deepEqual(mislabelled.kinds, ['csv', 'binary']);
});

test('an empty body has nothing to judge', async () => {
  assert.deepEqual((await readable('', json)).documents, []);
  await isClean('');
});
