// Every answer that Gate itself gives on the proxy, as a value: status, headers, body. Pure.

import type { Header } from '../core/facts.ts';
import type { Intent, IntentStatus } from '../core/intent.ts';
import { reasons, type ReasonCode, type Refusal } from '../core/reasons.ts';

export interface GateAnswer {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: string;
}

/** What an answer may say of the intent it is about. */
export interface AnswerContext {
  readonly requestId: string;
  readonly intent: Intent | null;
  readonly destination: string | null;
  readonly policy: string | null;
}

const retrySeconds: Partial<Record<ReasonCode, number>> = {
  rate_limited: 60,
  gate_unavailable: 5,
  gate_restarting: 5,
  credential_unavailable: 5,
  credential_invalid: 60,
  upstream_unreachable: 5,
  upstream_timeout: 5,
  upstream_tls: 60,
  hold_timeout: 30,
};

const pendingRetrySeconds = 30;

export function refusalAnswer(refusal: Refusal, context: AnswerContext): GateAnswer {
  const { status } = reasons[refusal.refused];
  return answer(refusal, status, wordFor(context), retrySeconds[refusal.refused] ?? null, context, 'ended');
}

/** `status` as the destination's pending_status has it. */
export function pendingAnswer(because: Refusal, status: number, context: AnswerContext): GateAnswer {
  const word = context.intent?.status ?? 'pending_approval';
  return answer(because, status, word, pendingRetrySeconds, context, 'waits');
}

/** A refused request has no intent, or one of which this request could not make use. */
function wordFor({ intent }: AnswerContext): IntentStatus | 'refused' {
  return intent === null || intent.status === 'approved' ? 'refused' : intent.status;
}

function answer(
  because: Refusal,
  status: number,
  word: IntentStatus | 'refused',
  retryAfterSeconds: number | null,
  context: AnswerContext,
  request: 'waits' | 'ended',
): GateAnswer {
  const { refused: code, message } = because;
  const { requestId, intent, destination, policy } = context;
  const isPending = request === 'waits';
  const body = JSON.stringify({
    status: word,
    reason_code: code,
    message,
    hint: reasons[code].hint,
    requestId,
    ...(intent === null ? {} : { intentId: intent.id }),
    ...(isPending ? {} : { blockReason: message }),
    ...(destination === null ? {} : { destination }),
    ...(policy === null ? {} : { policy }),
    ...(intent?.status === 'pending_approval' ? { expiresAt: new Date(intent.decideBy).toISOString() } : {}),
    ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
    error: { type: isPending ? 'gate_pending' : 'gate_refused', code, message },
    code,
    errors: [{ message, code }],
  });
  // Where nothing was sent and waiting may help, the SDK's own next try is the resend.
  const retriable = isPending || retryAfterSeconds !== null ? 'true' : 'false';
  const headers: Header[] = [
    ['Content-Type', 'application/json; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(body))],
    ['Cache-Control', 'no-store'],
    ['X-Gate-Status', word],
    ['Proxy-Status', `gate; error=${proxyError(code, status)}; reason=${code}`],
    ['x-should-retry', retriable],
    ['stripe-should-retry', retriable],
  ];
  if (intent !== null) headers.push(['X-Gate-Intent-Id', intent.id]);
  if (retryAfterSeconds !== null) headers.push(['Retry-After', String(retryAfterSeconds)]);
  if (status === 407) headers.push(['Proxy-Authenticate', 'Basic realm="gate"']);
  if (status === 401) headers.push(['WWW-Authenticate', 'Bearer realm="gate"']);
  if (status === 405) headers.push(['Allow', 'GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE']);
  return { status, headers, body };
}

/** RFC 9209 §2.3: the error types that fit Gate's reasons; the others follow from the status. */
const proxyErrors: Partial<Record<ReasonCode, string>> = {
  manual_review_required: 'proxy_internal_response',
  record_threshold_exceeded: 'proxy_internal_response',
  sensitive_data_detected: 'proxy_internal_response',
  address_not_allowed: 'destination_ip_prohibited',
  upstream_unreachable: 'connection_refused',
  upstream_timeout: 'connection_timeout',
  upstream_tls: 'tls_certificate_error',
  upstream_failed: 'http_response_incomplete',
  outcome_unknown: 'http_response_incomplete',
};

function proxyError(code: ReasonCode, status: number): string {
  if (status === 503) return 'proxy_internal_error';
  return proxyErrors[code] ?? (status === 403 || status === 429 ? 'http_request_denied' : 'http_request_error');
}
