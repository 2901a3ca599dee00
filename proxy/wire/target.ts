// The request target taken apart by its form (RFC 9112 §3.2), without looking into its authority.

import { refuse, type Refusal } from '../../core/reasons.ts';
import type { Scheme } from '../../core/sealed.ts';

export type Target =
  | { readonly form: 'origin'; readonly target: string }
  /** `authority` is as sent and unchecked; `target` is empty where the URL ends with its authority. */
  | { readonly form: 'absolute'; readonly scheme: Scheme; readonly authority: string; readonly target: string }
  | { readonly form: 'asterisk' };

export function readTarget(text: string): Target | Refusal {
  if (!/^[\x21-\x7e]+$/.test(text)) return refuse('bad_request', 'the target must be visible ASCII');
  if (text.includes('#')) return refuse('bad_request', 'the target has a fragment, which no client sends');
  if (text === '*') return { form: 'asterisk' };
  if (text.startsWith('/')) return { form: 'origin', target: text };
  return readAbsolute(text);
}

function readAbsolute(text: string): Target | Refusal {
  // The authority ends at `/` or `?` alone: a backslash stays in it and is refused there, never read as a slash.
  const parts = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?]+)(.*)$/.exec(text);
  if (parts === null) return refuse('bad_request', 'the target must be a path or an absolute http or https URL');
  const [, name = '', authority = '', rest = ''] = parts;
  const scheme = name.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') {
    return refuse('bad_request', 'the scheme of the target must be http or https');
  }
  return { form: 'absolute', scheme, authority, target: rest.startsWith('?') ? `/${rest}` : rest };
}
