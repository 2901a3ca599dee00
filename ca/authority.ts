// The Gate CA: made at first start, whole or not at all; refused when others could have read its key.

import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../config/dataDir.ts';
import { fault, type ConfigFault } from '../config/faults.ts';
import { buildAuthority, keyIdOf, type Authority } from './x509.ts';

export interface GateCa extends Authority {
  /** The certificate that clients trust, and while a rotation lasts the one before it. */
  readonly pem: string;
}

const dayMs = 86_400_000;
/** Clients whose clock is behind, such as machines that were just resumed, must accept it too. */
const backdatedMs = 2 * dayMs;
const lifeMs = 730 * dayMs;

/** One file holds key and certificate, so that no crash can leave the one without the other. */
export function loadCa(dataDir: string, now: number): GateCa | ConfigFault {
  const file = join(dataDir, 'ca.pem');
  if (!existsSync(file)) writeDurably(file, makeCa(now));
  if ((statSync(file).mode & 0o077) !== 0) {
    return fault(`Cannot use CA "${file}": others may read its key; make a new one with: zehrava-gate ca rotate`);
  }
  return parseCa(readFileSync(file, 'utf8'), file, now);
}

/** Signs with a new key from now on; the certificate before it stays in what clients are given. */
export function rotateCa(dataDir: string, now: number): void {
  const file = join(dataDir, 'ca.pem');
  const [before = ''] = existsSync(file) ? certificatesOf(readFileSync(file, 'utf8')) : [];
  writeDurably(file, `${makeCa(now)}${before}`);
}

function makeCa(now: number): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // A name of its own: two installations with one name and two keys would break each other's chains.
  const name = `Zehrava Gate CA ${keyIdOf(publicKey).toString('hex').slice(0, 8)}`;
  const pem = buildAuthority(name, privateKey, publicKey, new Date(now - backdatedMs), new Date(now + lifeMs));
  return `${pem}${privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()}`;
}

function parseCa(text: string, file: string, now: number): GateCa | ConfigFault {
  const certificates = certificatesOf(text);
  const [first] = certificates;
  const keyText = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----/.exec(text)?.[0];
  if (first === undefined || keyText === undefined) return fault(`Cannot use CA "${file}": no certificate, or no key`);
  try {
    const certificate = new X509Certificate(first);
    const key = createPrivateKey(keyText);
    const publicKey = createPublicKey(key);
    const { validToDate: notAfter } = certificate;
    if (!certificate.checkPrivateKey(key))
      return fault(`Cannot use CA "${file}": the key is not that of the certificate`);
    if (notAfter.getTime() <= now) {
      return fault(`Cannot use CA "${file}": it has expired; make a new one with: zehrava-gate ca rotate`);
    }
    const name = /^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? '';
    return { name, key, keyId: keyIdOf(publicKey), notAfter, pem: certificates.join('') };
  } catch {
    return fault(`Cannot use CA "${file}": it cannot be read as PEM`);
  }
}

function certificatesOf(text: string): readonly string[] {
  const found = text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g) ?? [];
  return found.map((pem) => `${pem.trimEnd()}\n`);
}
