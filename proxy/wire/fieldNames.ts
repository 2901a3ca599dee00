// The fields that mean something to Gate or to framing, by name; every function takes the name in lower case.

/** Fields of one connection only (RFC 9110 §7.6.1); HTTP2-Settings belongs to Upgrade: h2c. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

export function isHopByHop(name: string): boolean {
  return hopByHop.has(name) || name.startsWith('proxy-');
}

export function isGateField(name: string): boolean {
  return name.startsWith('x-gate-');
}

/** Fields by which a backend can be told another client, host or path than the one that was judged. */
export function isForwardingField(name: string): boolean {
  return name.startsWith('x-forwarded-') || forwarding.has(name);
}

const forwarding = new Set(['forwarded', 'x-original-url', 'x-rewrite-url']);

export const methodOverrides = ['x-http-method-override', 'x-http-method', 'x-method-override'] as const;

const singletons = new Set([
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'authorization',
  'proxy-authorization',
  'expect',
  'idempotency-key',
]);

/** Fields of which a second line would leave open which one counts. */
export function isSingleton(name: string): boolean {
  return singletons.has(name) || isGateField(name);
}

/** Fields that decide on framing, authority, identity or how the body is read, for whoever reads `_` as `-`. */
export function isSensitive(name: string): boolean {
  return isSingleton(name) || isHopByHop(name) || isForwardingField(name) || sensitive.has(name);
}

const sensitive = new Set<string>(['content-encoding', 'cookie', 'x-api-key', ...methodOverrides]);

/** Whether Connection must not nominate the field, since dropping it would change what was sent or who sent it. */
export function isKept(name: string): boolean {
  if (options.has(name)) return false;
  return isSensitive(name) || name.startsWith('content-') || name.startsWith('if-') || endToEnd.has(name);
}

/** What clients rightly name in Connection. */
const options = new Set([
  'close',
  'connection',
  'keep-alive',
  'upgrade',
  'http2-settings',
  'te',
  'trailer',
  'proxy-connection',
]);

const endToEnd = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'date',
  'range',
  'user-agent',
  'via',
]);
