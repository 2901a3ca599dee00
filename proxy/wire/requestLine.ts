// The request line: version, method, and the target in the form that the door takes.

import { isRefusal, refuse, type Refusal } from '../../core/reasons.ts';
import { readTarget, type Target } from './target.ts';

export type Version = '1.0' | '1.1';

export type AddressedTarget = Exclude<Target, { form: 'asterisk' }>;

export interface RequestLine {
  readonly method: string;
  readonly version: Version;
  /** Path and query are never empty. */
  readonly target: AddressedTarget;
}

/** WebDAV's are those of RFC 4918, 3253, 3744, 4791, 5323 and 5842 that Node's parser knows. */
const methods = new Set(
  (
    'GET HEAD OPTIONS POST PUT PATCH DELETE QUERY PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK ' +
    'SEARCH REPORT ACL MKCALENDAR CHECKOUT MERGE MKACTIVITY BIND REBIND UNBIND'
  ).split(' '),
);

export function readRequestLine(
  line: { readonly method: string; readonly version: string; readonly target: string },
  door: 'forward' | 'tunnel' | 'reverse',
): RequestLine | Refusal {
  const version = readVersion(line.version);
  if (typeof version !== 'string') return version;
  if (!methods.has(line.method)) return refuse('method_not_allowed');
  const target = readTarget(line.target);
  if (isRefusal(target)) return target;
  // OPTIONS on a URL without a path asks for `*` at the origin (RFC 9112 §3.2.4).
  if (
    line.method === 'OPTIONS' &&
    (target.form === 'asterisk' || (target.form === 'absolute' && target.target === ''))
  ) {
    return refuse('not_implemented', 'OPTIONS of a whole server');
  }
  if (target.form === 'asterisk') return refuse('bad_request', 'the target "*" is for OPTIONS alone');
  if (door === 'forward' && target.form === 'origin') {
    return refuse('bad_request', 'found a path, needed an absolute URL: this is not a proxy request');
  }
  if (door === 'reverse' && target.form === 'absolute') {
    return refuse('bad_request', 'found an absolute URL, needed a path');
  }
  return { method: line.method, version, target: target.target === '' ? { ...target, target: '/' } : target };
}

export function readVersion(version: string): Version | Refusal {
  if (version === '1.0' || version === '1.1') return version;
  return refuse('bad_request', 'the version must be HTTP/1.0 or HTTP/1.1');
}
