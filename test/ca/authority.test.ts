import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadCa, rotateCa } from '../../ca/authority.ts';
import { buildLeaf } from '../../ca/x509.ts';
import { isFault } from '../../config/faults.ts';
import { temporaryDir } from '../support/gate.ts';

let dir: string;
const file = () => join(dir, 'ca.pem');
const now = Date.UTC(2026, 0, 1);
const day = 86_400_000;

before(() => {
  dir = temporaryDir();
});
after(() => rmSync(dir, { recursive: true, force: true }));

function load(at = now) {
  const ca = loadCa(dir, at);
  assert.ok(!isFault(ca), isFault(ca) ? ca.fault : '');
  return ca;
}

test('the CA is made once, for its owner alone, with a name of its own', () => {
  const first = load();
  assert.equal(statSync(file()).mode & 0o777, 0o600);
  assert.equal(load().pem, first.pem);
  assert.match(first.name, /^Zehrava Gate CA [0-9a-f]{8}$/);
  const certificate = new X509Certificate(first.pem);
  assert.equal(certificate.ca, true);
  assert.ok(certificate.validFromDate.getTime() <= now - 2 * day, 'clients whose clock is behind accept it');
  assert.ok(certificate.verify(certificate.publicKey));
  // basicConstraints critical, CA, path length 0; keyUsage critical, keyCertSign and cRLSign.
  const der = certificate.raw.toString('hex');
  assert.ok(der.includes('0603551d130101ff040830060101ff020100'));
  assert.ok(der.includes('0603551d0f0101ff040403020106'));
});

test('a leaf is signed by it, names its key, is for one host, and never outlives it', () => {
  const ca = load();
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority = new X509Certificate(ca.pem);
  const serials = new Set<string>();
  for (const host of ['a.test', '192.0.2.1', '2001:db8::1', `${'a'.repeat(63)}.${'b'.repeat(63)}.test`]) {
    const leaf = new X509Certificate(buildLeaf(host, publicKey, ca, new Date(now), new Date(now + 10_000 * day)));
    assert.ok(leaf.verify(authority.publicKey) && leaf.checkIssued(authority));
    assert.equal(leaf.ca, false);
    assert.equal(leaf.validToDate.getTime(), ca.notAfter.getTime());
    assert.equal(host.includes('.test') ? leaf.checkHost(host) : leaf.checkIP(host), host);
    assert.ok(leaf.raw.toString('hex').includes(ca.keyId.toString('hex')));
    assert.ok(/^[4-7]/.test(leaf.serialNumber) && leaf.serialNumber.length === 32, 'positive, of full length');
    serials.add(leaf.serialNumber);
  }
  assert.equal(serials.size, 4);
});

test('G20: a CA that others may read, that is broken, expired, or whose key is another’s is refused, with what to do', () => {
  const whole = readFileSync(file(), 'utf8');
  const refused = (text: string, mode = 0o600, at = now) => {
    writeFileSync(file(), text);
    chmodSync(file(), mode);
    const found = loadCa(dir, at);
    writeFileSync(file(), whole);
    chmodSync(file(), 0o600);
    assert.ok(isFault(found));
    assert.ok(!found.fault.includes('PRIVATE KEY'));
    return found.fault;
  };
  assert.match(refused(whole, 0o644), /others may read its key/);
  assert.match(refused(whole.slice(0, 300)), /no certificate, or no key/);
  assert.match(refused('nonsense'), /no certificate, or no key/);
  assert.match(refused(whole, 0o600, now + 731 * day), /has expired/);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const [certificate = ''] = whole.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n/) ?? [];
  assert.match(refused(certificate + other), /the key is not that of the certificate/);
});

test('a rotation signs with a new key, and gives clients both certificates while it lasts', () => {
  const before = load();
  rotateCa(dir, now);
  const after = load();
  assert.notDeepEqual(after.keyId, before.keyId);
  assert.ok(after.pem.endsWith(before.pem) && after.pem.length > before.pem.length);
});
