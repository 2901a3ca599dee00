// The commands about policies and destinations, as processes of their own.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { loadDestinations } from '../../config/files.ts';
import { packageDir } from '../../config/load.ts';
import { startTestGate, temporaryDir, until, wire, type TestGate } from '../support/gate.ts';
import { rawClient } from '../support/raw.ts';

const dir = temporaryDir();
let gate: TestGate;

before(async () => {
  assert.equal((await run(['init'])).status, 0);
  gate = await startTestGate({
    destinations: 'asks.test: { destination: a.asks, policy: asks, records: 1 }\n',
    policies: { asks: 'id: asks\nrequire_approval: always\n' },
  });
});
after(async () => {
  await gate.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly complaints: string;
}

async function run(args: readonly string[], input = ''): Promise<Ran> {
  const child = spawn(process.execPath, [join(packageDir, 'cli.ts'), ...args], { cwd: dir, env: {} });
  let out = '';
  let complaints = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (complaints += String(chunk)));
  child.stdin.end(input);
  await once(child, 'close');
  return { status: child.exitCode, out, complaints };
}

const file = (...path: readonly string[]) => join(dir, ...path);

test('init copies every shipped policy with its cases and every shipped configuration, once', async () => {
  for (const folder of ['policies', 'config']) {
    for (const name of readdirSync(join(packageDir, folder)).filter((name) => name.endsWith('.yaml'))) {
      assert.equal(readFileSync(file(folder, name), 'utf8'), readFileSync(join(packageDir, folder, name), 'utf8'));
    }
  }
  appendFileSync(file('policies', 'blog-publish.yaml'), '# mine\n');
  const again = await run(['init']);
  assert.equal(again.status, 1);
  assert.match(again.complaints, /^Cannot initialise \.: policies\/.*must not be there, found it\n$/);
  assert.ok(readFileSync(file('policies', 'blog-publish.yaml'), 'utf8').endsWith('# mine\n'));
});

test('policy check counts policies that are fine and names the faults of others', async () => {
  const fine = await run(['policy', 'check']);
  assert.deepEqual(fine, { status: 0, out: '6 policies in policies are fine\n', complaints: '' });
  writeFileSync(file('policies', 'wrong.yaml'), 'id: wrong\nauto_aprove_under: 1\n');
  const wrong = await run(['policy', 'check', 'policies']);
  rmSync(file('policies', 'wrong.yaml'));
  assert.equal(wrong.status, 2);
  const sentence = 'unknown key "auto_aprove_under"; did you mean "auto_approve_under"?';
  assert.equal(wrong.complaints, `Cannot load policy "wrong": ${sentence} (policies/wrong.yaml:2:1)\n`);
  assert.equal((await run(['policy', 'check', 'nowhere'])).status, 2);
});

test('policy test runs the cases and says which do not hold', async () => {
  assert.match((await run(['policy', 'test'])).out, /^(\d+) of \1 cases hold\n$/);
  const policy = file('policies', 'support-reply.yaml');
  const text = readFileSync(policy, 'utf8');
  writeFileSync(policy, text.replace('  - "sue"\n', ''));
  const weaker = await run(['policy', 'test']);
  writeFileSync(policy, text);
  assert.equal(weaker.status, 1);
  const line = 'support-reply: a threat to sue is blocked: "decision.verdict" must be "blocked", found "approved"';
  assert.ok(weaker.out.startsWith(line), weaker.out);
});

const mail = 'POST https://api.sendgrid.com/v3/mail/send HTTP/1.1\nContent-Type: application/json\n\n';

test('policy explain says of a request in a file which lines and rules decide', async () => {
  writeFileSync(file('mail.http'), `${mail}{"body":"R3fund guaranteed"}\n`);
  const { out, status } = await run(['policy', 'explain', 'mail.http']);
  assert.equal(status, 0);
  for (const line of [
    /^destination +sendgrid\.send$/m,
    /^entry +api\.sendgrid\.com \/v3\/mail\/send \(destinations\.yaml\)$/m,
    /^policy +outbound-email$/m,
    /^step +block_if_terms: block \(request\)$/m,
    /^decision +blocked: blocked_term_detected: Payload contains blocked term: "refund guaranteed"$/m,
    /^risk +high \(0\.6\)$/m,
  ]) {
    assert.match(out, line);
  }
  const read = JSON.parse((await run(['policy', 'explain', '-', '--json'], `${mail}{"body":"hello"}`)).out);
  assert.equal(read.decision, 'approved');
  assert.equal(read.steps.at(-1).rule, 'auto_approve_under');
});

test('policy explain knows tiers, passing hosts, unknown hosts and what is no request', async () => {
  const explained = async (text: string, ...flags: readonly string[]) =>
    JSON.parse((await run(['policy', 'explain', '-', '--json', ...flags], text)).out);
  assert.equal((await explained(`${mail}{}`, '--tier', 'restricted')).decision, 'pending_approval');
  assert.equal((await explained('POST https://api.openai.com/v1/responses\n\n{}')).decision, 'passed');
  assert.equal((await explained('GET /v1/charges\nHost: api.stripe.com\n\n')).mode, 'pass');
  assert.equal((await explained('POST https://nobody.test/\n\n{}')).reason_code, 'destination_unknown');
  const none = await run(['policy', 'explain', '-'], 'hello');
  assert.equal(none.status, 2);
  assert.match(none.complaints, /^Cannot read the request: /);
});

test('policy explain judges a recorded intent with the policies at hand', async () => {
  const pending = await gate.send({
    url: 'http://asks.test/x',
    body: '{"a":"sue"}',
    headers: ['Content-Type: text/plain'],
  });
  const id = String(pending.json()['intentId']);
  const flags = ['--url', gate.controlUrl, '--key', gate.adminKey, '--config-dir', join(gate.dir, 'config'), '--json'];
  writeFileSync(file('policies', 'asks.yaml'), 'id: asks\nblock_if_terms: ["sue"]\n');
  const found = JSON.parse((await run(['policy', 'explain', '--intent', id, ...flags])).out);
  rmSync(file('policies', 'asks.yaml'));
  assert.equal(found.reason_code, 'blocked_term_detected');
  assert.equal(found.destination, 'a.asks');
});

test('destinations explain shows the entry, the readings of the path and what is dialled', async () => {
  const found = await run(['destinations', 'explain', 'POST', 'http://api.stripe.com/v1/refunds?x=1']);
  assert.equal(found.status, 0);
  assert.match(found.out, /^entry +api\.stripe\.com \/v1\/refunds$/m);
  assert.match(found.out, /^mode \(write\) +govern$/m);
  assert.match(found.out, /^sent to +https:\/\/api\.stripe\.com\/v1\/refunds\?x=1$/m);
  const ambiguous = await run(['destinations', 'explain', 'POST', 'https://api.stripe.com/v1/charges/../refunds']);
  assert.equal(ambiguous.status, 1);
  assert.match(ambiguous.out, /ambiguous_path[\s\S]*read as +\/v1\/charges\/\.\.\/refunds\nread as +\/v1\/refunds\n/);
  const unknown = await run(['destinations', 'explain', 'GET', 'https://nobody.test/']);
  assert.match(unknown.out, /destination_unknown/);
  assert.equal((await run(['destinations', 'explain', 'POST', 'nonsense'])).status, 2);
});

test('destinations add appends an entry, keeps every line there was, and refuses what it cannot add', async () => {
  const before = readFileSync(file('config', 'destinations.yaml'), 'utf8');
  const added = await run(['destinations', 'add', 'api.example.com', '--policy', 'support-reply']);
  assert.equal(added.status, 0, added.complaints);
  assert.match(added.out, /Policy "support-reply" does not list "example\.write" yet/);
  const now = readFileSync(file('config', 'destinations.yaml'), 'utf8');
  assert.ok(now.startsWith(before));
  const loaded = loadDestinations(file('config'));
  if ('faults' in loaded) throw new Error(loaded.faults.join('\n'));
  const entry = loaded.value.hosts.find(({ host }) => host === 'api.example.com');
  assert.equal(entry?.destination, 'example.write');
  assert.equal(entry?.policy, 'support-reply');
  for (const host of ['api.example.com', 'Api.Example.com', 'https://api.example.com', 'x.test\nevil.test: {}']) {
    const refused = await run(['destinations', 'add', host]);
    assert.equal(refused.status, 2, host);
  }
  assert.equal(readFileSync(file('config', 'destinations.yaml'), 'utf8'), now);
  const shipped = join(packageDir, 'config');
  const text = readFileSync(join(shipped, 'destinations.yaml'), 'utf8');
  const refused = await run(['destinations', 'add', 'other.test', '--config-dir', shipped]);
  assert.notEqual(refused.status, 0);
  assert.match(refused.complaints, /run zehrava-gate init, or name a directory with --config-dir/);
  assert.equal(readFileSync(join(shipped, 'destinations.yaml'), 'utf8'), text);
});

test('destinations suggest prints entries for what was refused, most wanted first', async () => {
  await gate.send({ url: 'http://seldom.test/', body: '{}' });
  for (let count = 0; count < 3; count++) await gate.send({ url: 'http://often.test/x', body: '{}' });
  const flags = ['--data-dir', join(gate.dir, 'data'), '--config-dir', join(gate.dir, 'config')];
  const { out } = await run(['destinations', 'suggest', ...flags]);
  assert.match(out, /# refused 3 times \(POST\) to test-agent\noften\.test:\n {2}destination: often\.write\n/);
  assert.ok(out.indexOf('often.test:') < out.indexOf('seldom.test:'));
  assert.ok(!out.includes('asks.test'));
});

test('serve names what is only observed, and tells once per agent and host what was refused, and the command that would list it', async () => {
  const flags = ['--port', '0', '--proxy-port', '0'];
  appendFileSync(file('config', 'destinations.yaml'), '\nseen.test: { destination: seen.write, writes: observe }\n');
  const key = `gate_sk_${'a'.repeat(48)}`;
  const child = spawn(process.execPath, [join(packageDir, 'cli.ts'), 'serve', ...flags], {
    cwd: dir,
    env: { PROXY_API_KEY: key },
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  const [ready] = await once(createInterface({ input: child.stdout }), 'line');
  assert.match(String(ready), /; observed, not stopped: seen\.test;/);
  const port = Number(/proxy http:\S+?:(\d+);/.exec(String(ready))?.[1]);
  const send = async (host: string) => {
    const client = rawClient(port);
    client.send(wire({ url: `http://${host}/`, body: '{}', key }));
    assert.equal((await client.answer()).status, 403);
    client.end();
  };
  for (const host of ['one.test', 'one.test', 'two.test']) await send(host);
  await until(() => lines.length >= 2, 'the notes');
  writeFileSync(file('policies', 'wrong.yaml'), 'id: other\n');
  await until(() => lines.some((line) => line.includes('stays in force')), 'the fault');
  child.kill();
  await once(child, 'close');
  rmSync(file('policies', 'wrong.yaml'));
  const command = (host: string) => `to list it: zehrava-gate destinations add ${host}`;
  assert.deepEqual(lines, [
    `Refused POST one.test to agent "proxy": no entry covers it; ${command('one.test')}`,
    `Refused POST two.test to agent "proxy": no entry covers it; ${command('two.test')}`,
    'Cannot load policy "wrong": "id" must be "wrong", the name of its file, found "other" (policies/wrong.yaml)',
    'The last good version of the policies stays in force',
  ]);
  assert.ok(existsSync(file('data')));
});
