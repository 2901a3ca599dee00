// Policies and destinations are edited while requests are on their way.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startTestGate, until, type TestGate } from '../support/gate.ts';

let gate: TestGate;
let upstream: Upstream;

const asks = 'id: asks\nrequire_approval: always\n';
const free = 'id: free\nauto_approve_under: 1\n';
const stops = 'id: free\nblock_if_terms: ["word"]\nauto_approve_under: 1\n';

const policyFile = (id: string) => join(gate.dir, 'policies', `${id}.yaml`);
const destinationsFile = () => join(gate.dir, 'config', 'destinations.yaml');
const destinations = (dialled: number) => `
asks.test: { destination: a.asks, policy: asks, records: 1, dial: "127.0.0.1:${dialled}" }
free.test: { destination: a.free, policy: free, records: 1, dial: "127.0.0.1:${upstream.port}" }
`;

before(async () => {
  upstream = await startUpstream();
  gate = await startTestGate({ policies: { asks, free }, destinations: destinations(upstream.port) });
});
after(async () => {
  await gate.close();
  await upstream.close();
  assert.deepEqual(gate.faults, []);
});

/** A comment that is new each time makes every beginning a version of its own. */
let beginnings = 0;
beforeEach(async () => {
  const comment = `# ${++beginnings}\n`;
  const files: readonly (readonly [file: string, text: string])[] = [
    [policyFile('free'), free + comment],
    [policyFile('asks'), asks + comment],
    [destinationsFile(), destinations(upstream.port) + comment],
  ];
  for (const [file, text] of files) {
    rmSync(file, { recursive: true, force: true });
    writeFileSync(file, text);
  }
  for (const [, text] of files) await isInForce(text);
  await until(async () => (await parts()).status === 200, 'a version without faults');
});

async function isInForce(text: string): Promise<void> {
  const digest = createHash('sha256').update(text).digest('hex');
  const isLoaded = async () => (await loads()).some(({ files }) => files.some(({ after }) => after === digest));
  await until(isLoaded, `in force: ${text}`);
}

/** Writes a file and waits until what it says is in force. */
async function put(file: string, text: string): Promise<void> {
  const unlike = `${text}# ${++beginnings}\n`;
  writeFileSync(file, unlike);
  await isInForce(unlike);
}

let sent = 0;
const send = (host: string, body: string) => gate.send({ url: `http://${host}.test/${++sent}`, body });
const parts = async () => {
  const { status, body } = await gate.api('GET', '/readyz?verbose=1', undefined, '');
  return { status, checks: body['checks'] };
};
const loads = async () => {
  const log = await gate.api('GET', '/v1/audit?type=configuration_loaded&limit=1000');
  const events: { metadata: { what: string; files: { name: string; before: string; after: string }[] } }[] =
    log.body['events'] ?? log.body;
  return events.map(({ metadata }) => metadata);
};

/** Approves a request to asks.test that was not sent yet, so that the next resend may go. */
async function approved(): Promise<() => ReturnType<TestGate['send']>> {
  const url = `http://asks.test/approved/${++sent}`;
  const pending = await gate.send({ url, body: 'word' });
  assert.equal(pending.status, 202, pending.body);
  const id = String(pending.json()['intentId']);
  assert.equal((await gate.approve(id)).status, 200);
  return () => gate.send({ url, body: 'word', headers: [`X-Gate-Intent-Id: ${id}`] });
}

test('an edited policy is in force without a restart, and on record with the digests of what changed', async () => {
  await put(policyFile('free'), stops);
  assert.equal((await send('free', 'a word')).status, 403);
  const [last] = (await loads()).slice(-1);
  assert.equal(last?.what, 'policies');
  assert.deepEqual(
    last?.files.map(({ name }) => name),
    ['free'],
  );
  assert.match(last?.files[0]?.before ?? '', /^[0-9a-f]{64}$/);
  assert.notEqual(last?.files[0]?.before, last?.files[0]?.after);
});

test('a new destination is in force without a restart', async () => {
  assert.equal((await send('new', 'x')).json()['reason_code'], 'destination_unknown');
  const more = `new.test: { destination: a.new, policy: free, records: 1, dial: "127.0.0.1:${upstream.port}" }\n`;
  await put(destinationsFile(), destinations(upstream.port) + more);
  assert.equal((await send('new', 'x')).status, 200);
});

test('E31: a policy tightened between approval and resend refuses the approved request as superseded', async () => {
  const resend = await approved();
  await put(policyFile('asks'), `${asks}block_if_terms: ["word"]\n`);
  const n = upstream.requests.length;
  const answer = await resend();
  assert.equal(answer.status, 409);
  assert.equal(answer.json()['reason_code'], 'superseded');
  assert.equal(upstream.requests.length, n);
});

test('E31: a policy changed in something else lets the approved request go', async () => {
  const resend = await approved();
  await put(policyFile('asks'), `${asks}block_if_terms: ["other"]\n`);
  assert.equal((await resend()).status, 200);
});

test('E32: an entry that leads elsewhere since the approval refuses the approved request as superseded', async () => {
  const other = await startUpstream();
  const resend = await approved();
  await put(destinationsFile(), destinations(other.port));
  const n = upstream.requests.length;
  const answer = await resend();
  assert.equal(answer.status, 409);
  assert.equal(answer.json()['reason_code'], 'superseded');
  assert.equal(upstream.requests.length, n);
  assert.equal(other.connections, 0);
  await other.close();
});

/** Whatever is done to the files, the last good version judges on and /readyz says what is wrong. */
async function keepsLastGood(spoil: () => void, part: 'policies' | 'destinations', saying: RegExp): Promise<void> {
  await put(policyFile('free'), stops);
  assert.equal((await send('free', 'a word')).status, 403);
  const n = (await loads()).length;
  spoil();
  await until(async () => (await parts()).status === 503, 'the alarm');
  const { checks } = await parts();
  assert.match(checks[part], saying);
  assert.equal((await send('free', 'a word')).json()['reason_code'], 'blocked_term_detected');
  assert.equal((await send('free', 'harmless')).status, 200);
  assert.equal((await loads()).length, n);
}

test('J07: a policy with a fault leaves the last good version in force', () =>
  keepsLastGood(
    () => writeFileSync(policyFile('free'), 'id: free\nauto_aprove_under: 9\n'),
    'policies',
    /unknown key "auto_aprove_under"; did you mean "auto_approve_under"\? \(.*free\.yaml:2:1\)/,
  ));

test('J07: a policy that is cut off in the middle leaves the last good version in force', () =>
  keepsLastGood(() => writeFileSync(policyFile('free'), 'id: free\nblock_if_terms: ["wo'), 'policies', /free\.yaml/));

test('J07: an emptied policy leaves the last good version in force', () =>
  keepsLastGood(() => writeFileSync(policyFile('free'), ''), 'policies', /must be a mapping, found nothing/));

test('J07: a directory in the place of a policy leaves the last good version in force', () =>
  keepsLastGood(
    () => {
      rmSync(policyFile('free'));
      mkdirSync(policyFile('free'));
    },
    'policies',
    /the file must be readable, found a directory/,
  ));

test('J07: a removed policy directory leaves the last good version in force', async () => {
  const dir = join(gate.dir, 'policies');
  await keepsLastGood(
    () => renameSync(dir, `${dir}.away`),
    'policies',
    /the directory must be readable, found nothing/,
  );
  renameSync(`${dir}.away`, dir);
  await until(async () => (await parts()).status === 200, 'the directory back');
});

test('J07: a removed destinations.yaml leaves the last good version in force', () =>
  keepsLastGood(() => rmSync(destinationsFile()), 'destinations', /the file must be readable, found nothing/));

test('J07: what a removed policy judged is blocked, since absence is no permission', async () => {
  rmSync(policyFile('free'));
  await until(async () => (await send('free', 'x')).status === 403, 'the absence');
  assert.equal((await send('free', 'x')).json()['reason_code'], 'policy_not_found');
});

test('J07: a policy written over and over is never taken half, and that it is never still is an alarm', async () => {
  await put(policyFile('free'), stops);
  assert.equal((await send('free', 'a word')).status, 403);
  // What it writes first is a whole policy too, one that blocks nothing.
  const script = `const { writeFileSync } = require('node:fs');
    setInterval(() => { writeFileSync(process.argv[1], ${JSON.stringify(free)}); }, 2);
    setInterval(() => { writeFileSync(process.argv[1], ${JSON.stringify(stops)}); }, 3);`;
  const writer = spawn(process.execPath, ['-e', script, policyFile('free')], { stdio: 'inherit' });
  try {
    // Ten seconds of looks until the alarm, and every answer on the way is that of the good version.
    const end = Date.now() + 60_000;
    while ((await parts()).status !== 503) {
      assert.ok(Date.now() < end, 'the alarm does not come');
      assert.equal((await send('free', 'a word')).status, 403);
    }
  } finally {
    writer.kill();
    await once(writer, 'exit');
  }
  assert.equal((await send('free', 'a word')).status, 403);
});
