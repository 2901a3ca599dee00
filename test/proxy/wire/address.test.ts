// Which addresses are outside, and that nothing inside is ever taken for it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { addressTable, classifyAddress, neverPublicName } from '../../../proxy/wire/address.ts';

function all(kind: string, addresses: readonly string[]) {
  for (const address of addresses) assert.equal(classifyAddress(address), kind, address);
}

test('the addresses of the outside are public', () => {
  all('public', [
    '8.8.8.8',
    '1.1.1.1',
    '172.32.0.1',
    '100.128.0.1',
    '192.0.3.1',
    '198.20.0.1',
    '11.0.0.0',
    '223.255.255.255',
  ]);
  all('public', [
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
    '2001:4860:4860::8888',
    '2400:cb00::1',
    '2003::1',
    '2001:200::1',
  ]);
});

test('F01: loopback and unspecified addresses are inside', () => {
  all('loopback', ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1']);
  all('unspecified', ['0.0.0.0', '0.255.1.1', '::']);
});

test('F01, F04: names that never lead outside are known without a query', () => {
  for (const name of ['localhost', 'LOCALHOST', 'localhost.', 'x.localhost', 'a.b.localhost', 'ip6-localhost']) {
    assert.equal(neverPublicName(name), 'loopback', name);
  }
  for (const name of ['metadata.google.internal', 'metadata', 'instance-data', 'Metadata.Google.Internal.']) {
    assert.equal(neverPublicName(name), 'metadata', name);
  }
  for (const name of ['localhost.test', 'notlocalhost', 'metadata.test', 'api.stripe.com']) {
    assert.equal(neverPublicName(name), null, name);
  }
});

test('F04: the metadata services of clouds are told apart from their surroundings', () => {
  all('metadata', [
    '169.254.169.254',
    '168.63.129.16',
    '100.100.100.200',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd20:ce::254',
  ]);
  all('metadata', ['169.254.170.2', '169.254.170.23', 'fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254']);
  all('link_local', ['169.254.169.253', '169.254.0.1', 'fe80::1', 'febf::1']);
  all('public', ['168.63.129.17']);
});

test('F05: every special range has its class, from its first to its last address', () => {
  all('private', ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255']);
  all('private', ['100.64.0.0', '100.127.255.255', 'fc00::', 'fdff:ffff::1', 'fec0::1', 'feff::1']);
  all('reserved', [
    '192.0.0.1',
    '192.0.2.1',
    '198.18.0.0',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '192.88.99.1',
  ]);
  all('reserved', ['240.0.0.0', '255.255.255.255', '100::1', '2001:1ff::1', '2001:db8::1', '3fff:fff::1', '5f00::1']);
  all('reserved', ['4000::1', 'e000::1', '200::1']);
  all('multicast', ['224.0.0.0', '239.255.255.255', 'ff00::', 'ff02::1']);
});

test('F02, F05: an address that carries another is never public, wherever that one is', () => {
  all('embedded', ['::ffff:127.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1', '::8.8.8.8', '::ffff:0:8.8.8.8', '::7f00:1']);
  all('embedded', [
    '64:ff9b::7f00:1',
    '64:ff9b::808:808',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2002:808:808::1',
    '2001::1',
  ]);
});

test('F02: spellings that only a resolver understands are no addresses', () => {
  all('not_an_address', [
    '127.1',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '2130706433',
    '0',
    '08.8.8.8',
    '256.1.1.1',
  ]);
  all('not_an_address', [
    'fe80::1%eth0',
    '::1%lo',
    '[::1]',
    '',
    'localhost',
    '8.8.8.8 ',
    ' 8.8.8.8',
    '8.8.8.8\n',
    '1::2::3',
  ]);
});

test('F05: no address within the table is public, but for the rows that say so', () => {
  for (const [cidr, kind] of addressTable.filter(([, kind]) => kind !== 'public')) {
    const [base, bits] = ipaddr.parseCIDR(cidr);
    const prefix = base.toByteArray();
    const within = fc.uint8Array({ minLength: prefix.length, maxLength: prefix.length }).map((random) => {
      const bytes = prefix.map((byte, at) => {
        const mask = 255 >> Math.min(8, Math.max(0, bits - at * 8));
        return (byte & ~mask & 255) | ((random[at] ?? 0) & mask);
      });
      return ipaddr.fromByteArray(bytes).toString();
    });
    fc.assert(
      fc.property(within, (address) => classifyAddress(address) !== 'public' || assert.fail(`${address} ${kind}`)),
    );
  }
});

test('no string but an address outside is public', () => {
  fc.assert(fc.property(fc.string(), (text) => classifyAddress(text) !== 'public' || ipaddr.isValid(text)));
});
