import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect as connectTls, createServer, type Server, type TLSSocket } from 'node:tls';
import { buildAuthority, buildLeaf, keyIdOf } from '../../ca/x509.ts';
import { proxyAuthorization, startTestGate, until, type TestGate } from '../support/gate.ts';

let gate: TestGate;
let upstream: Server;
let caFile: string;
const received: string[] = [];

const policies = {
  free: 'id: free\nblock_if_terms: ["refund guaranteed"]\nauto_approve_under: 1\n',
  asks: 'id: asks\nrequire_approval: always\n',
};

before(async () => {
  const day = 86_400_000;
  const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [authority, leaf] = [pair(), pair()];
  const [from, to] = [new Date(Date.now() - day), new Date(Date.now() + day)];
  const testCa = buildAuthority('Test CA', authority.privateKey, authority.publicKey, from, to);
  const by = { name: 'Test CA', key: authority.privateKey, keyId: keyIdOf(authority.publicKey), notAfter: to };
  const key = leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const context = (host: string) => ({ key, cert: buildLeaf(host, leaf.publicKey, by, from, to) });
  upstream = createServer(
    {
      ...context('api.sendgrid.com'),
      SNICallback: (host, done) => {
        void import('node:tls').then(({ createSecureContext }) => done(null, createSecureContext(context(host))));
      },
    },
    (socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        received.push(chunk.toString('latin1'));
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"sent":true}');
      });
    },
  );
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const { port } = upstream.address() as AddressInfo;
  const dial = `scheme: https, records: 1, dial: "127.0.0.1:${port}"`;
  const caPath = join((await import('../support/gate.ts')).temporaryDir(), 'test-ca.pem');
  writeFileSync(caPath, testCa);
  gate = await startTestGate({
    policies,
    env: { GATE_UPSTREAM_CA: caPath },
    destinations: `
api.sendgrid.com: { destination: sendgrid.send, policy: free, reverse: /sg, ${dial} }
api.salesforce.com: { destination: salesforce.api, policy: free, reverse: /sfdc, ${dial} }
api.stripe.com: { destination: stripe.refund, policy: asks, reverse: /stripe, ${dial} }
192.0.2.7: { destination: literal.write, policy: free, ${dial} }
wrong.test: { destination: wrong.write, policy: free, scheme: https, records: 1, dial: "127.0.0.1:${port}" }
${'a'.repeat(63)}.${'b'.repeat(63)}.example.com: { destination: long.write, policy: free, ${dial} }
`,
  });
  caFile = join(gate.dir, 'gate-ca.pem');
  writeFileSync(caFile, (await gate.api('GET', '/v1/proxy/ca.crt', undefined, '')).text);
});
after(async () => {
  await gate.close();
  await new Promise((resolve) => upstream.close(resolve));
  assert.deepEqual(gate.faults, []);
});

interface Ran {
  readonly code: number;
  readonly out: string;
}

function run(file: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(file, args, { env: { PATH: process.env['PATH'] ?? '', ...env } }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out: out + err }),
    );
  });
}
const proxy = () => `http://agent:${gate.agentKey}@127.0.0.1:${gate.proxyPort}`;
const curl = (args: readonly string[]) => run('curl', ['-sS', '--cacert', caFile, '-x', proxy(), ...args]);

test('the walk over HTTPS: passed, blocked for its words, pending, approved and forwarded once, by curl', async () => {
  const mail = 'https://api.sendgrid.com/v3/mail/send';
  assert.equal((await curl([mail, '-d', '{"body":"hello"}'])).out, '{"sent":true}');
  const blocked = JSON.parse((await curl([mail, '-d', '{"body":"Refund guaranteed within 24h"}'])).out);
  assert.equal(blocked.blockReason, 'Payload contains blocked term: "refund guaranteed"');
  const refund = ['https://api.stripe.com/v1/refunds', '-d', '{"charge":"ch_xxx","amount":5000}'];
  const pending = JSON.parse((await curl(refund)).out);
  assert.equal(pending.status, 'pending_approval');
  await gate.approve(pending.intentId);
  const n = received.length;
  assert.equal((await curl(['-H', `X-Gate-Intent-Id: ${pending.intentId}`, ...refund])).out, '{"sent":true}');
  assert.equal(received.length, n + 1);
  assert.match(received[n] ?? '', /^POST \/v1\/refunds HTTP\/1\.1\r\n/);
  const again = JSON.parse((await curl(['-H', `X-Gate-Intent-Id: ${pending.intentId}`, ...refund])).out);
  assert.equal(again.reason_code, 'already_used');
});

test('the same over the reverse prefixes, with nothing but a base URL and a key where the API’s own would stand', async () => {
  const base = `http://127.0.0.1:${gate.proxyPort}`;
  const send = (path: string, args: readonly string[]) => run('curl', ['-sS', `${base}${path}`, ...args]);
  const n = received.length;
  const bearer = ['-H', `Authorization: Bearer ${gate.agentKey}`];
  assert.equal((await send('/sg/v3/mail/send', [...bearer, '-d', '{}'])).out, '{"sent":true}');
  assert.equal(
    (await send('/sfdc/services/data/v58.0/sobjects/Contact', [...bearer, '-d', '{}'])).out,
    '{"sent":true}',
  );
  assert.match(received[n] ?? '', /^POST \/v3\/mail\/send HTTP\/1\.1\r\nhost: api\.sendgrid\.com\r\n/);
  assert.ok(!(received[n] ?? '').includes(gate.agentKey), 'the key that was meant for Gate goes no further');
  const basic = ['-u', `${gate.agentKey}:`, '-d', 'amount=5000'];
  const pending = JSON.parse((await send('/stripe/v1/refunds', basic)).out);
  assert.equal(pending.status, 'pending_approval');
  await gate.approve(pending.intentId);
  assert.equal((await send('/stripe/v1/refunds', basic)).out, '{"sent":true}');
  const own = ['-H', `X-Gate-Key: ${gate.agentKey}`, '-H', 'Authorization: Bearer sk_own', '-d', '{}'];
  assert.equal((await send('/sg/v3/own', own)).out, '{"sent":true}');
  assert.match(received.at(-1) ?? '', /Authorization: Bearer sk_own\r\n/);
});

test('B37: only the whole prefix leads anywhere, and no spelling of it to another API', async () => {
  const n = received.length;
  const key = `X-Gate-Key: ${gate.agentKey}`;
  for (const [path, status] of [
    ['/sg/../stripe/v1/refunds', 403],
    ['/sg/%2e%2e/stripe/v1/refunds', 403],
    ['//sg/v3/mail', 403],
    ['/SG/v3/mail', 403],
    ['/sgX/v3', 403],
    ['/nothing', 403],
  ] as const) {
    const client = gate.client();
    client.send(`POST ${path} HTTP/1.1\r\nHost: gate\r\n${key}\r\nContent-Length: 2\r\n\r\n{}`);
    assert.equal((await client.answer()).status, status, path);
  }
  assert.equal(received.length, n);
  const nobody = gate.client();
  nobody.send('POST /sg/v3 HTTP/1.1\r\nHost: gate\r\nContent-Length: 2\r\n\r\n{}');
  assert.equal((await nobody.answer()).status, 401);
});

/** Opens a tunnel and its TLS by hand. */
async function tunnelled(host: string, servername: string | null, port = 443): Promise<TLSSocket> {
  const client = gate.client();
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  client.send(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${proxyAuthorization(gate.agentKey)}\r\n\r\n`);
  assert.equal((await client.answer({ head: true })).status, 200);
  client.socket.removeAllListeners('data');
  const ca = (await gate.api('GET', '/v1/proxy/ca.crt', undefined, '')).text;
  const tls = connectTls({
    socket: client.socket,
    ca,
    ...(servername === null ? {} : { servername }),
    checkServerIdentity: () => undefined,
  });
  await new Promise<void>((resolve, reject) => {
    tls.once('secureConnect', resolve);
    tls.once('error', reject);
  });
  return tls;
}

async function exchange(tls: TLSSocket, bytes: string): Promise<string> {
  let text = '';
  tls.on('data', (chunk) => {
    text += String(chunk);
  });
  tls.on('error', () => undefined);
  tls.write(bytes);
  await until(() => text.includes('\r\n\r\n') || tls.destroyed);
  tls.destroy();
  return text;
}

test('the leaf is for exactly the tunnel’s host, name or address, long or short, and new each time it is made', async () => {
  const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.example.com`;
  for (const host of ['api.sendgrid.com', '192.0.2.7', long]) {
    const tls = await tunnelled(host, host === '192.0.2.7' ? null : host);
    const certificate = new X509Certificate(tls.getPeerCertificate().raw);
    assert.equal(certificate.subjectAltName, host === '192.0.2.7' ? `IP Address:${host}` : `DNS:${host}`);
    assert.equal(certificate.ca, false);
    assert.ok(Date.now() - certificate.validFromDate.getTime() > 86_400_000);
    tls.destroy();
  }
});

test('B10, B11, B22: SNI, Host and tunnel must agree; a name in capitals is the same name', async () => {
  const n = received.length;
  const post = (host: string) => `POST /x HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 2\r\n\r\n{}`;
  const good = await exchange(await tunnelled('api.sendgrid.com', 'API.SendGrid.COM'), post('API.SENDGRID.com'));
  assert.match(good, /^HTTP\/1\.1 200/);
  assert.equal(received.length, n + 1);
  const host = await exchange(await tunnelled('api.sendgrid.com', 'api.sendgrid.com'), post('api.stripe.com'));
  assert.match(host, /^HTTP\/1\.1 400/);
  const sni = await tunnelled('api.sendgrid.com', 'api.stripe.com').then(
    (tls) => exchange(tls, post('api.sendgrid.com')),
    () => '',
  );
  assert.ok(sni === '' || sni.startsWith('HTTP/1.1 400'), sni);
  assert.equal(received.length, n + 1);
});

test('an upstream whose certificate is another’s gets no request', async () => {
  const n = received.length;
  const plain = await startTestGate({
    policies,
    destinations: `api.sendgrid.com: { destination: a.b, policy: free, scheme: https, records: 1, dial: "127.0.0.1:${(upstream.address() as AddressInfo).port}" }`,
  });
  const answer = await plain.send({ url: 'http://api.sendgrid.com/', body: '{}' });
  assert.equal(answer.status, 502);
  assert.equal(answer.json()['reason_code'], 'upstream_tls');
  assert.equal(received.length, n);
  await plain.close();
});

test('http:// to an https destination is dialled over TLS: the same request in every door', async () => {
  const n = received.length;
  assert.equal((await gate.send({ url: 'http://api.sendgrid.com/plain', body: '{}' })).status, 200);
  assert.match(received[n] ?? '', /^POST \/plain /);
});

test('a held HTTPS client gets the upstream’s answer when a person approves', async () => {
  const tls = await tunnelled('api.stripe.com', 'api.stripe.com');
  const answer = exchange(
    tls,
    'POST /held HTTP/1.1\r\nHost: api.stripe.com\r\nX-Gate-Wait: true\r\nContent-Length: 2\r\n\r\n{}',
  );
  await until(async () => (await gate.api('GET', '/v1/proxy/held')).body['held'].length === 1);
  const [held] = (await gate.api('GET', '/v1/proxy/held')).body['held'];
  assert.equal(held.url, 'https://api.stripe.com/held');
  await gate.approve(held.intentId);
  assert.match(await answer, /^HTTP\/1\.1 200/);
});

const pythons = (process.env['GATE_TEST_PYTHONS'] ?? 'python3').split(',');
const script = `
import json, os, ssl, sys, urllib.request
context = ssl.create_default_context(cafile=os.environ["CA"])
context.verify_flags |= getattr(ssl, "VERIFY_X509_STRICT", 0)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({"https": os.environ["PROXY"]}), urllib.request.HTTPSHandler(context=context))
for url in sys.argv[1:]:
    try:
        print(opener.open(urllib.request.Request(url, data=b"{}")).status)
    except urllib.error.HTTPError as error:
        print(error.code)
`;
for (const python of pythons) {
  test(`${python} accepts the CA and its leaves, strictly verified`, async () => {
    const urls = [
      'https://api.sendgrid.com/a',
      'https://192.0.2.7/b',
      `https://${'a'.repeat(63)}.${'b'.repeat(63)}.example.com/c`,
    ];
    const { code, out } = await run(python, ['-c', script, ...urls], { CA: caFile, PROXY: proxy() });
    assert.equal(code, 0, out);
    // The upstream has no certificate for the address, so Gate says 502: through a leaf that the client accepted.
    assert.equal(out.trim(), '200\n502\n200');
  });
}

test('Node’s fetch goes through with the proxy and the CA from its environment', async () => {
  const code =
    "const a = await fetch('https://api.sendgrid.com/n', { method: 'POST', body: '{}' }); console.log(a.status)";
  const env = { HTTPS_PROXY: proxy(), NODE_USE_ENV_PROXY: '1', NODE_EXTRA_CA_CERTS: caFile };
  const { out } = await run(process.execPath, ['--input-type=module', '-e', code], env);
  assert.equal(out.trim(), '200');
});
