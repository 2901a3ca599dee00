// Characters that a reader takes for a Latin letter, and what each reads as; the compact table behind `normalise`.

/** Letters of other scripts, phonetic and small-capital forms. Compatibility forms (full-width, bold) need no line. */
const letters: Readonly<Record<string, string>> = {
  a: 'аɑαаᴀɐάӑåÅⱥꓮᎪꭺαạ',
  ae: 'æӕᴁᴂ',
  b: 'вьβʙɓƀƃБᏴꓐᖯъ฿',
  c: 'сϲᴄƈȼↄꓚᏟϹ¢©',
  d: 'ԁɗđðᴅƌꓓꓒᎠᏧժძ',
  e: 'еɛεєəǝɘᴇɇєэзӡҽꓰᎬℯ',
  f: 'ƒꜰꓝϝғ',
  g: 'ɡɢǥցԍꓖᏀᏻ',
  h: 'һħʜհнꓧᎻᏂң',
  i: 'іıɪɩιⅼᎥї',
  J: 'ӏןוǀ∣│ꓲ',
  j: 'јȷɉᴊյꓙᎫϳ',
  k: 'кκᴋƙқҝꓗᏦ',
  l: 'łʟɫƚլꓡᏞℓ',
  m: 'мᴍɱꓟᎷϻ',
  n: 'пɴŋɲηոռиꓠ',
  o: 'оοøөσօɵᴏסఠ೦०๐໐௦ꓳՕॐ',
  oe: 'œɶ',
  p: 'рρᴘƥþꓑᏢϸ',
  q: 'ԛɋգզ',
  r: 'ʀɍɹгяᴙꓣᏒᖇ®',
  s: 'ѕʂꜱςտꓢᏚՏȿ',
  t: 'тτᴛŧƭꓔᎢ†',
  u: 'υսʊᴜцµꓴՍʉ',
  v: 'νѵᴠʌꓦᏙ∨',
  w: 'ԝωᴡшщաꓪᎳɯ',
  x: 'хχжꓫ×',
  y: 'уγʏүұყꓬɏ¥',
  z: 'ᴢƶʐȥꓜᏃ',
  '3': 'Ʒʒ',
  '4': 'чᏎ',
  '6': 'б',
};

/** Greek capitals that look like one letter and are the capital of another: the sign stands for both readings. */
const capitals: Readonly<Record<string, string>> = { Η: 'H', Ν: 'N', Υ: 'Y', Σ: 'E' };

const byCharacter = new Map<string, string>();
for (const [reads, characters] of Object.entries(letters)) {
  for (const character of characters) byCharacter.set(character, reads);
}
for (const [character, reads] of Object.entries(capitals)) byCharacter.set(character, reads);

/** Runs of letters in boxes and circles that have no compatibility form: first and the letter it begins with. */
const enclosed: readonly (readonly [first: number, last: number])[] = [
  [0x1f150, 0x1f169],
  [0x1f170, 0x1f189],
  [0x1f1e6, 0x1f1ff],
];

/** What this one character is read as, in small letters, or null. */
export function lookAlike(character: string): string | null {
  const known = byCharacter.get(character);
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  const range = enclosed.find(([first, last]) => code >= first && code <= last);
  return range === undefined ? null : String.fromCharCode(0x61 + code - range[0]);
}

/** Marks that pass for a letter and are as often punctuation, and the sign each is normalised to. */
export const symbolSigns: Readonly<Record<string, string>> = {
  '!': '!',
  '|': '!',
  '¡': '!',
  '@': '@',
  $: '$',
  '§': '$',
  '+': '+',
  '€': '%',
  '£': '^',
};

/** What the signs of marks are read as: these letters, a space, or nothing. */
export const symbolReadings: Readonly<Record<string, string>> = {
  '!': 'il',
  '@': 'a',
  $: 's',
  '+': 't',
  '%': 'e',
  '^': 'l',
};

/** Signs of the normalised text that stand for more than one letter. Capitals are free: no letter is left one. `J` is a bar. */
export const letterReadings: Readonly<Record<string, string>> = {
  I: 'il',
  J: 'il',
  G: 'gb',
  H: 'nh',
  N: 'vn',
  Y: 'uy',
  E: 'ose',
};

/** Digits as letters; a sign of `letterReadings` where there are two. */
export const digitLetters = 'oIzeasGtbg';
