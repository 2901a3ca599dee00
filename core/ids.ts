// Public identifiers: a prefix that says the kind and 32 random hexadecimal digits.

export type IntentId = `int_${string}`;
export type AgentId = `agt_${string}`;
export type PersonId = `prn_${string}`;
export type PrincipalId = AgentId | PersonId;
export type ExecutionId = `exe_${string}`;
export type KeyId = `key_${string}`;

export type IdPrefix = 'int' | 'agt' | 'prn' | 'exe' | 'evt' | 'key' | 'whk';

/** Writes an id from 16 random bytes, which the caller draws: nothing on this floor is random. */
export function formatId<P extends IdPrefix>(prefix: P, random16: Uint8Array): `${P}_${string}` {
  if (random16.length !== 16) throw new Error(`Cannot write an id: 16 random bytes needed, found ${random16.length}`);
  return `${prefix}_${toHex(random16)}`;
}

export function isIntentId(text: string): text is IntentId {
  return /^int_[0-9a-f]{32}$/.test(text);
}

export function isAgentId(text: string): text is AgentId {
  return /^agt_[0-9a-f]{32}$/.test(text);
}

export function isPersonId(text: string): text is PersonId {
  return /^prn_[0-9a-f]{32}$/.test(text);
}

export function isPrincipalId(text: string): text is PrincipalId {
  return /^(agt|prn)_[0-9a-f]{32}$/.test(text);
}

/** The form of an API key; a token that has another form is unknown without a look at the store. */
export function isApiKey(text: string): boolean {
  return /^gate_sk_[0-9a-f]{48}$/.test(text);
}

export function toHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}
