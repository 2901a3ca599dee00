// Builds certificates: the DER by node-forge, which is used for nothing else; keys and signatures by node:crypto.

import { hash, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import forge from 'node-forge';

const { asn1 } = forge;
const { Class, Type } = asn1;
type Node = forge.asn1.Asn1;

export interface Authority {
  readonly name: string;
  readonly key: KeyObject;
  /** The stored subject key identifier, which every leaf names. */
  readonly keyId: Buffer;
  readonly notAfter: Date;
}

const oids = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  subjectAltName: '2.5.29.17',
  subjectKeyId: '2.5.29.14',
  authorityKeyId: '2.5.29.35',
} as const;

/** X.520 upper bound of a common name. */
const maxCommonName = 64;

/** A self-signed P-256 authority that may sign leaves and nothing below them. */
export function buildAuthority(
  name: string,
  key: KeyObject,
  publicKey: KeyObject,
  notBefore: Date,
  notAfter: Date,
): string {
  const spki = spkiOf(publicKey);
  const extensions = [
    extension(oids.basicConstraints, 'critical', sequence([boolean(true), integer(Buffer.of(0))])),
    // keyCertSign and cRLSign
    extension(oids.keyUsage, 'critical', bits(Buffer.of(0x06), 1)),
    extension(oids.subjectKeyId, 'plain', octets(keyIdOf(publicKey))),
  ];
  return certificate({ issuer: name, subject: name, spki, notBefore, notAfter, extensions, key });
}

/** A leaf for exactly one host: a name as dNSName, a literal address as iPAddress, never a wildcard. */
export function buildLeaf(host: string, publicKey: KeyObject, by: Authority, notBefore: Date, notAfter: Date): string {
  const fits = host.length <= maxCommonName;
  const extensions = [
    extension(oids.basicConstraints, 'critical', sequence([])),
    // digitalSignature
    extension(oids.keyUsage, 'critical', bits(Buffer.of(0x80), 7)),
    extension(oids.extendedKeyUsage, 'plain', sequence([oid(oids.serverAuth)])),
    // RFC 5280 §4.2.1.6: critical where there is no subject to go by.
    extension(oids.subjectAltName, fits ? 'plain' : 'critical', sequence([alternativeName(host)])),
    extension(oids.authorityKeyId, 'plain', sequence([tagged(0, by.keyId)])),
  ];
  const last = notAfter < by.notAfter ? notAfter : by.notAfter;
  const subject = fits ? host : null;
  return certificate({
    issuer: by.name,
    subject,
    spki: spkiOf(publicKey),
    notBefore,
    notAfter: last,
    extensions,
    key: by.key,
  });
}

/** SHA-1 of the public key's bit string (RFC 5280 §4.2.1.2): of P-256, the last 65 bytes of its SPKI. */
export function keyIdOf(publicKey: KeyObject): Buffer {
  return hash('sha1', spkiOf(publicKey).subarray(-65), 'buffer');
}

interface Content {
  readonly issuer: string;
  readonly subject: string | null;
  readonly spki: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Node[];
  readonly key: KeyObject;
}

function certificate({ issuer, subject, spki, notBefore, notAfter, extensions, key }: Content): string {
  const algorithm = sequence([oid(oids.ecdsaWithSha256)]);
  const tbs = sequence([
    asn1.create(Class.CONTEXT_SPECIFIC, 0, true, [integer(Buffer.of(2))]),
    integer(serial()),
    algorithm,
    name(issuer),
    sequence([time(notBefore), time(notAfter)]),
    name(subject),
    asn1.fromDer(spki.toString('latin1')),
    asn1.create(Class.CONTEXT_SPECIFIC, 3, true, [sequence([...extensions])]),
  ]);
  const signature = sign('sha256', derOf(tbs), key);
  const pem =
    derOf(sequence([tbs, algorithm, bits(signature, 0)]))
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${pem.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** 16 random bytes, positive and of full length, new even for the same host. */
function serial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function name(commonName: string | null): Node {
  if (commonName === null) return sequence([]);
  const text = asn1.create(Class.UNIVERSAL, Type.UTF8, false, Buffer.from(commonName, 'utf8').toString('latin1'));
  return sequence([asn1.create(Class.UNIVERSAL, Type.SET, true, [sequence([oid(oids.commonName), text])])]);
}

function alternativeName(host: string): Node {
  if (isIPv4(host)) return tagged(7, Buffer.from(host.split('.').map(Number)));
  return isIPv6(host) ? tagged(7, addressBytes(host)) : tagged(2, Buffer.from(host, 'latin1'));
}

/** The 16 bytes of a canonical IPv6 literal. */
function addressBytes(host: string): Buffer {
  const [before = '', after] = host.split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const [left, right] = [groups(before), groups(after)];
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return Buffer.concat(all.map((group) => Buffer.from(group.padStart(4, '0'), 'hex')));
}

function extension(id: string, criticality: 'critical' | 'plain', value: Node): Node {
  const critical = criticality === 'critical' ? [boolean(true)] : [];
  return sequence([oid(id), ...critical, octets(derOf(value))]);
}

function sequence(children: Node[]): Node {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, children);
}

function oid(id: string): Node {
  return asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(id).getBytes());
}

function integer(bytes: Buffer): Node {
  return asn1.create(Class.UNIVERSAL, Type.INTEGER, false, bytes.toString('latin1'));
}

function boolean(value: true): Node {
  return asn1.create(Class.UNIVERSAL, Type.BOOLEAN, false, value ? '\xff' : '\0');
}

function octets(bytes: Buffer): Node {
  return asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, bytes.toString('latin1'));
}

function bits(bytes: Buffer, unused: number): Node {
  return asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, String.fromCharCode(unused) + bytes.toString('latin1'));
}

function tagged(tag: number, bytes: Buffer): Node {
  return asn1.create(Class.CONTEXT_SPECIFIC, tag, false, bytes.toString('latin1'));
}

/** UTCTime until 2049, GeneralizedTime after (RFC 5280 §4.1.2.5). */
function time(date: Date): Node {
  const isLate = date.getUTCFullYear() >= 2050;
  const text = isLate ? asn1.dateToGeneralizedTime(date) : asn1.dateToUtcTime(date);
  return asn1.create(Class.UNIVERSAL, isLate ? Type.GENERALIZEDTIME : Type.UTCTIME, false, text);
}

function spkiOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function derOf(node: Node): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}
