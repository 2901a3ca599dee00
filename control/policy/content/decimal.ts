// Decimal numbers as text: compared exactly, never as floats.

export interface Decimal {
  readonly isNegative: boolean;
  /** Digits of value, without zeros at either end; empty for zero. */
  readonly digits: string;
  /** Place of the point, counted from before the first digit: 0.05 is "5" at -1, 50 is "5" at 2. */
  readonly point: number;
}

/** Larger exponents name no amount; within these, adding them up is exact. */
const largestExponent = 100_000;

/** As JSON writes numbers. Anything else that some reader takes for one (0x64, 1_0, 007, +5, " 5") is none: null. */
const form = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,7}))?$/;
const longest = 1024;

export function readDecimal(text: string): Decimal | null {
  const match = text.length > longest ? null : form.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const shift = Number(exponent);
  if (Math.abs(shift) > largestExponent) return null;
  const all = whole + fraction;
  const first = all.search(/[1-9]/);
  if (first === -1) return { isNegative: false, digits: '', point: 0 };
  return { isNegative: sign === '-', digits: all.slice(first).replace(/0+$/, ''), point: whole.length - first + shift };
}

/** Negative, zero or positive as `a` is less than, equal to or more than `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (signOf(a) !== signOf(b)) return signOf(a) - signOf(b);
  const size = a.point - b.point || order(a.digits, b.digits);
  return a.isNegative ? 0 - size : size;
}

function signOf({ isNegative, digits }: Decimal): number {
  if (digits === '') return 0;
  return isNegative ? -1 : 1;
}

/** Both begin at the same place, so the order of the digits is that of the text. */
function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
