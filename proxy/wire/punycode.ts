// Whether what follows `xn--` is Punycode (RFC 3492) of a name that only Punycode can write.

const base = 36;
const tMin = 1;
const tMax = 26;
const skew = 38;
const damp = 700;

/** `text` in lower case, without the `xn--`. Plain ASCII, controls, spaces and text that is not normalised are none. */
export function isPunycode(text: string): boolean {
  const decoded = decode(text);
  if (decoded === null || !/[^\0-\x7f]/.test(decoded)) return false;
  return !/[\p{Cc}\p{Co}\p{Z}]/u.test(decoded) && decoded.normalize('NFKC').toLowerCase() === decoded;
}

function decode(text: string): string | null {
  const split = text.lastIndexOf('-');
  const points = Array.from(text.slice(0, Math.max(split, 0)), (letter) => letter.charCodeAt(0));
  let [n, i, bias] = [128, 0, 72];
  for (let at = split + 1; at < text.length;) {
    const before = i;
    for (let weight = 1, k = base; ; k += base) {
      const digit = digitOf(text.charCodeAt(at++));
      if (digit === null) return null;
      i += digit * weight;
      const threshold = Math.min(tMax, Math.max(tMin, k - bias));
      if (digit < threshold) break;
      weight *= base - threshold;
    }
    const size = points.length + 1;
    bias = adapt(Math.floor((i - before) / (before === 0 ? damp : 2)), size);
    n += Math.floor(i / size);
    i %= size;
    if (n > 0x10ffff || (n >= 0xd800 && n <= 0xdfff)) return null;
    points.splice(i++, 0, n);
  }
  return String.fromCodePoint(...points);
}

/** `a`–`z` are 0–25, `0`–`9` are 26–35; NaN, past the end, is none. */
function digitOf(code: number): number | null {
  if (code >= 97 && code <= 122) return code - 97;
  if (code >= 48 && code <= 57) return code - 22;
  return null;
}

/** RFC 3492 §6.1; `gap` comes damped. */
function adapt(gap: number, size: number): number {
  let delta = gap + Math.floor(gap / size);
  let k = 0;
  for (; delta > ((base - tMin) * tMax) / 2; k += base) delta = Math.floor(delta / (base - tMin));
  return k + Math.floor(((base - tMin + 1) * delta) / (delta + skew));
}
