// The closed registry of reason codes: each with its HTTP status, its sentence, and what whom it concerns can do.

export interface Reason {
  /** HTTP status of an answer that carries this reason, where no destination says otherwise. */
  readonly status: number;
  readonly sentence: string;
  readonly hint: string;
  /** Who has to act for the request to pass. */
  readonly acts: 'agent' | 'reviewer' | 'operator' | 'nobody';
}

const wait = 'Wait and send the same request again; nothing left Gate';
const ask = 'Ask the person who runs Gate';
const mend = 'Correct the request and send it again';
const anew = 'Send the request without X-Gate-Intent-Id to have it judged anew';

function reason(status: number, acts: Reason['acts'], sentence: string, hint: string): Reason {
  return { status, acts, sentence, hint };
}

export const reasons = {
  approved_by_policy: reason(200, 'nobody', 'The policy allows this request', 'Nothing to do'),
  approved_by_human: reason(200, 'nobody', 'A person approved this request', 'Send the same request again'),
  manual_review_required: reason(202, 'reviewer', 'A person must approve this request', wait),
  record_threshold_exceeded: reason(202, 'reviewer', 'More records than the policy lets through unseen', wait),
  sensitive_data_detected: reason(202, 'reviewer', 'Sensitive data: a person must approve this request', wait),

  blocked_term_detected: reason(
    403,
    'agent',
    'The payload contains a blocked term',
    'Remove the term and send it anew',
  ),
  destination_not_allowed: reason(403, 'operator', 'The policy does not list this destination', ask),
  type_not_allowed: reason(403, 'agent', 'The policy does not allow this type of payload', mend),
  policy_not_found: reason(403, 'operator', 'There is no policy of this name', ask),
  field_check_failed: reason(403, 'agent', 'A field of the payload fails the policy', mend),
  undecodable_body: reason(403, 'agent', 'The policy must look into the body and cannot read it', mend),
  rate_limited: reason(429, 'agent', 'The agent has used up its allowance under this policy', wait),
  duplicate: reason(200, 'nobody', 'This intent was proposed before', 'Look at the first intent'),
  idempotency_mismatch: reason(409, 'agent', 'This idempotency key belongs to another request', 'Use a new key'),

  rejected_by_human: reason(403, 'reviewer', 'A person rejected this request', 'Do not send it again unchanged'),
  revoked_by_human: reason(403, 'reviewer', 'A person revoked the approval', 'Do not send it again unchanged'),
  approval_expired: reason(410, 'agent', 'Nobody decided in time', anew),
  approval_unused: reason(410, 'agent', 'The approval was not used in time', anew),
  superseded: reason(409, 'operator', 'Policy or configuration changed since the approval', anew),
  request_mismatch: reason(409, 'agent', 'This is not the request that the intent is for', 'Send the very request'),
  already_used: reason(409, 'nobody', 'This intent has been used', 'Look at the intent for its outcome'),
  intent_not_found: reason(403, 'agent', 'No such intent of this agent', 'Check the intent id'),

  destination_unknown: reason(403, 'operator', 'No entry of destinations.yaml covers this host', ask),
  destination_blocked: reason(403, 'operator', 'This destination is blocked', ask),
  agent_not_permitted: reason(403, 'operator', 'This agent may not use this destination or policy', ask),
  foreign_credential: reason(403, 'agent', 'The request brings a credential of its own', 'Leave the credential out'),
  tls_interception_required: reason(403, 'operator', 'Gate does not let tunnels pass unseen', ask),
  upgrade_not_allowed: reason(403, 'operator', 'This destination allows no protocol upgrade', ask),
  address_not_allowed: reason(403, 'operator', 'The host leads to an address that Gate never dials', ask),
  ambiguous_path: reason(403, 'agent', 'The path can be read in more than one way', 'Send the plain path'),

  bad_request: reason(400, 'agent', 'The request is malformed', mend),
  authority_mismatch: reason(400, 'agent', 'Target, Host and tunnel name different hosts', mend),
  declared_mismatch: reason(400, 'agent', 'What was declared is not what the payload holds', mend),
  method_not_allowed: reason(405, 'agent', 'Gate does not forward this method', mend),
  not_implemented: reason(501, 'agent', 'Gate does not implement what this request needs', mend),
  expectation_failed: reason(417, 'agent', 'Gate fulfils no expectation but 100-continue', mend),
  body_too_large: reason(413, 'agent', 'The body is larger than Gate judges', 'Send less at once'),
  body_incomplete: reason(400, 'agent', 'The body ended before its declared length', mend),
  target_too_long: reason(414, 'agent', 'The request target is too long', mend),
  headers_too_large: reason(431, 'agent', 'The header section is too large', mend),
  request_timeout: reason(408, 'agent', 'The request did not arrive in time', mend),
  hold_timeout: reason(408, 'reviewer', 'Nobody decided while the connection waited', wait),
  proxy_unauthorized: reason(407, 'agent', 'Gate does not know this client', 'Present the agent key to the proxy'),

  upstream_unreachable: reason(502, 'operator', 'The destination cannot be reached; nothing was sent', wait),
  upstream_timeout: reason(504, 'operator', 'The destination did not accept a connection in time', wait),
  upstream_tls: reason(502, 'operator', 'The destination did not prove its identity; nothing was sent', ask),
  upstream_failed: reason(502, 'nobody', 'The destination broke off its answer', 'Look at the destination'),
  outcome_unknown: reason(
    502,
    'reviewer',
    'The request may have been carried out',
    'Do not repeat it; a person resolves it',
  ),
  credential_unavailable: reason(503, 'operator', 'The credential cannot be fetched; nothing was sent', wait),
  credential_invalid: reason(503, 'operator', 'The credential cannot be used; nothing was sent', ask),
  gate_unavailable: reason(503, 'operator', 'Gate cannot record this request; nothing was sent', wait),
  gate_restarting: reason(503, 'nobody', 'Gate is restarting; nothing was sent', wait),
  exec_not_configured: reason(409, 'operator', 'This destination has no request of its own to send', ask),

  unauthorized: reason(401, 'agent', 'A valid key is needed', 'Send Authorization: Bearer gate_sk_…'),
  agent_inactive: reason(401, 'operator', 'This agent is suspended or revoked', ask),
  forbidden: reason(403, 'operator', 'This key may not do this', 'Use a key with the role that may'),
  self_approval: reason(403, 'reviewer', 'Nobody decides on what an agent proposed for them', 'Ask another reviewer'),
  not_found: reason(404, 'agent', 'There is no such thing', 'Check the id'),
  route_not_found: reason(404, 'agent', 'There is no such route', 'See /openapi.json'),
  stale_view: reason(409, 'reviewer', 'The digest is not that of the intent', 'Look at the intent again'),
  not_pending: reason(409, 'reviewer', 'The intent is not waiting for a decision', 'Look at the intent'),
  not_approved: reason(409, 'agent', 'The intent is not approved', 'Look at the intent'),
  not_unknown: reason(409, 'reviewer', 'The outcome of this intent is not unknown', 'Look at the intent'),
  name_reserved: reason(400, 'agent', 'This name cannot be registered', 'Choose another name'),
  response_not_kept: reason(404, 'agent', 'No answer is kept for this intent', 'Read it from your own connection'),
  payload_purged: reason(410, 'nobody', 'The payload is past its retention', 'The digest remains'),
} as const satisfies Record<string, Reason>;

export type ReasonCode = keyof typeof reasons;

/** A "no" as a value: which rule, in which words, and what the one asked may be told besides. */
export interface Refusal {
  readonly refused: ReasonCode;
  /** Says what was found and what is needed; never holds bytes of a body, a header value or a query. */
  readonly message: string;
}

export function refuse(code: ReasonCode, detail?: string): Refusal {
  const { sentence } = reasons[code];
  return { refused: code, message: detail === undefined ? sentence : `${sentence}: ${detail}` };
}

export function isRefusal(value: object): value is Refusal {
  return 'refused' in value;
}
