// Terms are found as a person would read them, as whole words, and nowhere else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileTerms, termFault } from '../../../../control/policy/content/terms.ts';

const find = (text: string, ...terms: string[]) => compileTerms(terms.length > 0 ? terms : ['evil']).find(text);

test('a term is a whole word: "sue" is not in an issue that has been resolved', () => {
  assert.equal(find('your issue has been resolved', 'sue'), null);
  assert.equal(find('we will sue.', 'sue'), 'sue');
  assert.equal(find('pursue, sued, suez', 'sue'), null);
});

test('the term is named as the policy writes it', () => {
  assert.equal(find('R3fund-Guaranteed!', 'nothing', 'Refund  Guaranteed'), 'Refund  Guaranteed');
});

const hidings: Record<string, readonly string[]> = {
  'D22 accents, strokes and dotless letters': ['E̶V̶I̶L̶', 'évíl', 'e\u0301vil', 'EVİL', 'evıl', 'ＥＶＩＬ'],
  'D23 letters of other scripts': ['ЕVІL', 'εvιl', 'ᎬᏙᎥᏞ', 'еvіӏ', '𝐄𝐕𝐈𝐋', 'Ⓔⓥⓘⓛ', '🅴🆅🅸🅻', '🇪🇻🇮🇱', '⒠⒱⒤⒧'],
  'D25 digits and marks for letters': ['3V1L', '3v!l', 'ev|l', '€vil', 'EV¡L', 'EVlL', 'evi1'],
  'D25 letters spaced out': [
    'E V I L',
    'a E.V.I.L b',
    'E-V-I-L',
    '3 V 1 L',
    'x e v i l y',
    'E\u200b V\u200b I\u200b L',
  ],
  'D29 NUL between letters': ['EV\0IL', 'E\0V\0I\0L\0'],
  'D22 what cannot be seen': [
    'EV\u200bIL',
    'EV\u00adIL',
    'E\u115fVIL',
    'EV\u3164IL',
    'E\ufe0fVIL',
    'E\u{e0041}VIL',
    'EV\u2060IL',
  ],
};

for (const [name, texts] of Object.entries(hidings)) {
  test(`${name} do not hide a term`, () => {
    for (const text of texts) {
      assert.equal(find(`so ${text} it is`), 'evil', JSON.stringify(text));
    }
  });
}

test('D22 long s and the Kelvin sign are letters', () => {
  assert.equal(find('ſuch', 'such'), 'such');
  assert.equal(find('\u212aeep', 'keep'), 'keep');
});

test('D26 any white space parts the words of a term', () => {
  for (const space of [
    '\u00a0',
    '\u2028',
    '\u2029',
    '\v',
    '\f',
    '\u3000',
    ' \n\t',
    '_',
    '-',
    '.',
    '\u200b',
    '\ufeff',
  ]) {
    assert.equal(find(`refund${space}guaranteed`, 'refund guaranteed'), 'refund guaranteed', JSON.stringify(space));
  }
});

test('ordinary text is not taken for a term', () => {
  for (const text of [
    'devil',
    'evils',
    'ev il',
    'fall',
    'a mall',
    'version 3.1.1',
    '31 11',
    'Ice in a b c d',
    'vile',
  ]) {
    assert.equal(find(text, 'evil', 'fail', 'mail', 'so', 'sell'), null, text);
  }
});

test('numbers stay numbers: a price is not a word', () => {
  assert.equal(find('amount 5311, 50 pieces, 100 USD', 'sell', 'so', 'loo', 'ioo'), null);
  assert.equal(find('exactly 100 USD', '100'), '100');
});

test('marks at the end of a word are punctuation and letters both', () => {
  for (const text of ['evil!', '$evil', 'evil|good', '@evil', 'evil+']) assert.equal(find(text), 'evil', text);
  assert.equal(find('we write c++ here', 'c++'), 'c++');
  assert.equal(find('we write c here', 'c++'), null);
});

test('terms of any script are found, in either case', () => {
  for (const [term, text] of [
    ['возврат', 'ВОЗВРАТ гарантирован'],
    ['ευρώ', 'ΕΥΡΏ'],
    ['退款保证', '我们的退款保证书'],
    ['환불', '환불 보장'],
    ['استرداد', 'طلب استرداد الآن'],
    ['straße', 'STRASSE'],
  ] as const) {
    assert.equal(find(text, term), term);
  }
});

test('a term without a letter or digit is refused when the policy is loaded', () => {
  assert.match(termFault('?!') ?? '', /needs a letter or a digit/);
  assert.equal(termFault('100 %'), null);
  assert.throws(() => compileTerms(['ok', '--']), /Cannot compile terms/);
});

test('D11 a term is found wherever the text is cut in two', () => {
  const set = compileTerms(['evil', 'refund guaranteed']);
  for (const text of ['so ЕV\u200bI1 it', 'a R3fund - Guarant33d!', 'x e v i l y', '𝐄𝐕𝐈𝐋 ']) {
    for (let at = 0; at <= text.length; at++) {
      const low = text.charCodeAt(at);
      if (low >= 0xdc00 && low < 0xe000) continue;
      const search = set.search();
      assert.ok(search.push(text.slice(0, at)) ?? search.push(text.slice(at)) ?? search.end(), `${text} at ${at}`);
    }
  }
});

test('what one text ends with is no part of the next', () => {
  const search = compileTerms(['refund guaranteed']).search();
  assert.equal(search.push('refund') ?? search.end() ?? search.push('guaranteed') ?? search.end(), null);
});

test('the automaton agrees with looking for each term by itself', () => {
  const word = fc.stringMatching(/^[a-d]{1,4}$/);
  const phrase = fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(' '));
  fc.assert(
    fc.property(
      fc.array(phrase, { minLength: 1, maxLength: 12 }),
      fc.array(word, { maxLength: 30 }),
      (terms, parts) => {
        // Two letters at least per word: lone letters are read joined as well.
        const text = parts.filter((part) => part.length > 1).join(' ');
        const isThere = terms.some((term) => ` ${text} `.includes(` ${term} `));
        assert.equal(compileTerms(terms).find(text) !== null, isThere);
      },
    ),
  );
});

test('H13 the longest expansion of Unicode does not grow the memory of the search', () => {
  const search = compileTerms(['evil', 'صلى الله عليه وسلم']).search();
  assert.equal(search.push('\ufdfa'), null);
  assert.equal(search.end(), 'صلى الله عليه وسلم');
  assert.equal(find('\ufdfa'.repeat(50_000) + ' evil'), 'evil');
});
