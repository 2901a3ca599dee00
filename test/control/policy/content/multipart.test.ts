// Multipart bodies and forms are cut where every reader cuts them, or refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isBlocked, isClean, isRefused, readable } from './bodies.ts';

const type = 'multipart/form-data; boundary=b';
const part = (content: string, head = 'Content-Disposition: form-data; name="a"') =>
  `--b\r\n${head}\r\n\r\n${content}\r\n`;
const end = '--b--\r\n';

test('D13 a plain form with a file passes and its term is found', async () => {
  const file = 'Content-Disposition: form-data; name="f"; filename="x.txt"\r\nContent-Type: text/plain';
  await isClean(part('hello') + part('content', file) + end, { type });
  await isBlocked(part('hello') + part('EVIL', file) + end, { type });
  await isBlocked(part('hello', 'Content-Disposition: form-data; name="EVIL"') + end, { type });
  await isBlocked(part('hello', 'Content-Disposition: form-data; name="f"; filename*=UTF-8\'\'%45VIL.txt') + end, {
    type,
  });
});

test('D13 a boundary that is missing, malformed or named twice is refused', async () => {
  const body = part('hello') + end;
  await isClean(body, { type: 'multipart/form-data; boundary="b"' });
  for (const wrong of [
    '',
    'boundary=',
    'boundary=""',
    `boundary=${'b'.repeat(71)}`,
    'boundary="b "',
    'boundary="\\"b"',
    'boundary=b; boundary=c',
    'boundary=b; Boundary=b',
  ]) {
    await isRefused(body, { type: `multipart/form-data; ${wrong}` });
  }
  const long = 'b'.repeat(70);
  await isClean(body.replaceAll('--b', `--${long}`), { type: `multipart/form-data; boundary=${long}` });
});

test('D13 a body that readers could cut at different places is refused', async () => {
  const whole = part('hello') + end;
  for (const body of [
    whole.replaceAll('\r\n', '\n'),
    part('hello'),
    `${part('hello')}--b--x`,
    `${part('hello')}--b`,
    `${whole}EVIL`,
    `EVIL\r\n${whole}`,
    part('x\n--b\r\ny') + end,
    part('x--by') + end,
    part('x\r\n--bc\r\ny') + end,
    end,
    'hello',
  ]) {
    await isRefused(body, { type });
  }
  await isClean(whole.slice(0, -2), { type });
});

test('D13 a part header is bounded and has each field once', async () => {
  const head = 'Content-Disposition: form-data; name="a"';
  await isClean(part('x', `${head}\r\nX-Note: ${'y'.repeat(8000)}`) + end, { type });
  await isRefused(part('x', `${head}\r\nX-Note: ${'y'.repeat(8192)}`) + end, { type });
  await isRefused(part('x', `${head}\r\n${head}`) + end, { type });
  await isRefused(part('x', `${head}\r\n folded`) + end, { type });
  await isRefused(part('x', `${head}; name="b"`) + end, { type });
  await isRefused(part('x', 'Content-Disposition: form-data') + end, { type });
});

test('D13 a thousand parts and two levels are read, more are refused', async () => {
  await isClean(part('x').repeat(1000) + end, { type });
  await isRefused(part('x').repeat(1001) + end, { type });
  const wrap = (body: string, inner: string, outer: string) =>
    `--${outer}\r\nContent-Type: multipart/mixed; boundary=${inner}\r\n\r\n${body}\r\n--${outer}--\r\n`;
  const one = '--c\r\nContent-Type: text/plain\r\n\r\nEVIL\r\n--c--\r\n';
  await isBlocked(wrap(one, 'c', 'b'), { type: 'multipart/mixed; boundary=b' });
  await isClean(wrap(one.replace('EVIL', 'hi'), 'c', 'b'), { type: 'multipart/mixed; boundary=b' });
  await isRefused(wrap(wrap(one, 'c', 'd'), 'd', 'b'), { type: 'multipart/mixed; boundary=b' });
});

test('D14 base64 and quoted-printable parts are decoded, other encodings are refused', async () => {
  const encoded = (encoding: string) =>
    `Content-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: ${encoding}`;
  await isBlocked(part('RVZJ\r\nTA==', encoded('BASE64')) + end, { type });
  await isBlocked(part('=45VIL', encoded('quoted-printable')) + end, { type });
  await isBlocked(part('EV=\r\nIL', encoded('quoted-printable')) + end, { type });
  await isClean(part('aGVsbG8=', encoded('base64')) + end, { type });
  await isClean(part('h=C3=A9', encoded('quoted-printable')) + end, { type });
  await isRefused(part('RVZ*', encoded('base64')) + end, { type });
  await isRefused(part('x', encoded('x-uuencode')) + end, { type });
});

test('a picture among the parts makes the body opaque', async () => {
  const file = 'Content-Disposition: form-data; name="f"; filename="x.png"\r\nContent-Type: image/png';
  assert.equal((await readable(part('\x89PNG\0\0', file) + end, { type })).isOpaque, true);
  assert.equal((await readable(part('text', file) + end, { type })).isOpaque, false);
});

test('form fields are decoded, and a field that is not UTF-8 is refused', async () => {
  const form = { type: 'application/x-www-form-urlencoded' };
  await isBlocked('a=%45VIL', form);
  await isBlocked('%45VIL=1', form);
  await isBlocked('a=refund&b=x+EVIL+y', form);
  await isClean('a=100%&b=%7e+c&&d', form);
  await isRefused('a=%ff', form);
  await isRefused(Buffer.from([0x61, 0x3d, 0xff]), form);
});
