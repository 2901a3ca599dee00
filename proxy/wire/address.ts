// What kind of place an address is: only `public` is dialled without the operator's leave.

import ipaddr from 'ipaddr.js';

export type AddressClass =
  | 'public'
  | 'loopback'
  | 'private'
  | 'link_local'
  | 'metadata'
  | 'multicast'
  | 'unspecified'
  /** Documentation, benchmarks, protocols, and all IPv6 outside 2000::/3. */
  | 'reserved'
  /** An IPv6 address that carries an IPv4 one: where it leads depends on translators nobody sees. */
  | 'embedded'
  | 'not_an_address';

/**
 * The first row that holds the address decides, so the narrow rows stand before the wide ones around them.
 * What no row holds is reserved.
 */
export const addressTable: readonly (readonly [cidr: string, AddressClass])[] = [
  ['169.254.169.254/32', 'metadata'],
  ['169.254.170.2/32', 'metadata'], // AWS, of a container
  ['169.254.170.23/32', 'metadata'], // AWS, of a pod
  ['168.63.129.16/32', 'metadata'], // Azure
  ['100.100.100.200/32', 'metadata'], // Alibaba
  ['192.0.0.192/32', 'metadata'], // Oracle
  ['fd00:ec2::/32', 'metadata'], // AWS
  ['fd20:ce::254/128', 'metadata'], // Google

  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'private'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link_local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'reserved'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'reserved'],
  ['198.51.100.0/24', 'reserved'],
  ['203.0.113.0/24', 'reserved'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['0.0.0.0/0', 'public'],

  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  ['::/96', 'embedded'],
  ['::ffff:0:0/96', 'embedded'],
  ['::ffff:0:0:0/96', 'embedded'],
  ['64:ff9b::/96', 'embedded'],
  ['64:ff9b:1::/48', 'embedded'],
  ['2001::/32', 'embedded'],
  ['2002::/16', 'embedded'],
  ['100::/64', 'reserved'],
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'reserved'],
  ['3fff::/20', 'reserved'],
  ['5f00::/16', 'reserved'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link_local'],
  ['fec0::/10', 'private'],
  ['ff00::/8', 'multicast'],
  ['2000::/3', 'public'],
];

const rows = addressTable.map(([cidr, kind]) => ({ range: ipaddr.parseCIDR(cidr), kind }));

/** Takes dotted IPv4, or IPv6 without brackets; a zone or any other spelling of IPv4 is `not_an_address`. */
export function classifyAddress(literal: string): AddressClass {
  if (literal.includes('%')) return 'not_an_address';
  if (!ipaddr.IPv4.isValidFourPartDecimal(literal) && !ipaddr.IPv6.isValid(literal)) return 'not_an_address';
  const address = ipaddr.parse(literal);
  const row = rows.find(({ range }) => range[0].kind() === address.kind() && address.match(range));
  return row?.kind ?? 'reserved';
}

const names = new Map<string, 'loopback' | 'metadata'>([
  ['localhost', 'loopback'],
  ['localhost.localdomain', 'loopback'],
  ['ip6-localhost', 'loopback'],
  ['ip6-loopback', 'loopback'],
  ['metadata', 'metadata'],
  ['metadata.google.internal', 'metadata'],
  ['metadata.goog', 'metadata'],
  ['instance-data', 'metadata'],
  ['instance-data.ec2.internal', 'metadata'],
]);

/** The class of a name that never leads outside, so that no query is made for it; null: resolve it and look. */
export function neverPublicName(host: string): 'loopback' | 'metadata' | null {
  const name = host.toLowerCase().replace(/\.$/, '');
  return name.endsWith('.localhost') ? 'loopback' : (names.get(name) ?? null);
}
