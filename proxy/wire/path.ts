// Every way in which some server may read a path; where they lead apart, the path is ambiguous.

import { isRefusal, refuse, type Refusal } from '../../core/reasons.ts';

/** Plain paths have one reading, strange but honest ones a dozen; beyond this the count itself is the answer. */
const maxReadings = 64;

interface Reading {
  readonly path: string;
  /** How often it has been percent-decoded. */
  readonly decoded: 0 | 1 | 2;
}

/**
 * The distinct readings of the path of an origin-form target, the one as sent first, without query. Every rewrite is
 * applied to what every other one gives, since no two servers agree on the order.
 */
export function pathReadings(target: string): readonly string[] | Refusal {
  const path = target.split('?', 1)[0] ?? '';
  if (!/^[\x21-\x7e]*$/.test(path)) return refuse('bad_request', 'the path must be visible ASCII');
  if (/%(?![0-9A-Fa-f]{2})/.test(path))
    return refuse('bad_request', 'the path has a "%" without two hexadecimal digits');
  const readings: Reading[] = [{ path, decoded: 0 }];
  const seen = new Set(readings.map(keyOf));
  const paths = new Set([path]);
  for (const reading of readings) {
    const next = reread(reading);
    if (isRefusal(next)) return next;
    for (const found of next) {
      if (seen.has(keyOf(found))) continue;
      seen.add(keyOf(found));
      paths.add(found.path);
      readings.push(found);
    }
    if (paths.size > maxReadings) return refuse('ambiguous_path', `more than ${maxReadings} readings`);
  }
  return [...paths];
}

function keyOf({ path, decoded }: Reading): string {
  return `${decoded}${path}`;
}

function reread({ path, decoded }: Reading): readonly Reading[] | Refusal {
  const rewritten = rewrites.map((rewrite) => ({ path: rewrite(path), decoded }));
  if (decoded === 2) return rewritten;
  const plain = decode(path);
  if (typeof plain !== 'string') return plain;
  return [...rewritten, { path: plain, decoded: decoded === 0 ? 1 : 2 }];
}

const rewrites: readonly ((path: string) => string)[] = [
  (path) => path.normalize('NFKC'),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replace(/\/{2,}/g, '/'),
  (path) => path.replace(/;[^/]*/g, ''),
  // A `?` or `#` that was encoded ends the path for a server that parses again what it decoded.
  (path) => path.replace(/[?#].*$/s, ''),
  resolveDots,
];

/** RFC 3986 §5.2.4; an encoded dot is a dot, as the URL standard has it, also where nothing else is decoded. */
function resolveDots(path: string): string {
  const [root = '', ...segments] = path.split('/');
  const kept: string[] = [];
  segments.forEach((segment, at) => {
    const plain = segment.replace(/%2e/gi, '.');
    if (plain === '..') kept.pop();
    if (plain !== '..' && plain !== '.') kept.push(segment);
    else if (at === segments.length - 1) kept.push('');
  });
  return segments.length === 0 ? root : [root, ...kept].join('/');
}

/**
 * Decodes what is encoded and leaves a lone `%` as it is: one that was itself encoded (`100%25`) has nothing further
 * to decode, and must not hide what stands beside it.
 */
function decode(path: string): string | Refusal {
  try {
    const plain = path.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => decodeURIComponent(run));
    return /\p{Cc}/u.test(plain) ? refuse('bad_request', 'the path hides a control character') : plain;
  } catch {
    return refuse('bad_request', 'the percent-encoding of the path is not UTF-8');
  }
}
