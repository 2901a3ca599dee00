import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { genesis, linkEvent, proveLink } from '../../../control/audit/chain.ts';
import { verifyLog, type ExportedEvent, type Trust } from '../../../control/audit/verify.ts';
import type { LoggedEvent } from '../../../core/audit.ts';

const key = createSecretKey(randomBytes(32));
const logId = 'a'.repeat(32);

const event = (seq: number, metadata = `{"n":${seq}}`): LoggedEvent => ({
  seq,
  at: 1_000 + seq,
  type: 'gate_started',
  intent: null,
  actor: 'system',
  actorId: null,
  metadata,
});

/** A log as Gate writes it, by whoever holds `by`. */
function write(events: readonly LoggedEvent[], by = key, previous: Uint8Array = genesis(logId)): ExportedEvent[] {
  let last = previous;
  return events.map((logged) => {
    const { leaf, link } = linkEvent(logged, last);
    last = link;
    const proofs = { leaf: leaf.toString('hex'), link: link.toString('hex'), mac: proveLink(link, by).toString('hex') };
    return { ...logged, ...proofs };
  });
}

const log = write([1, 2, 3, 4, 5, 6].map((seq) => event(seq)));
const head = log.at(-1)?.link ?? '';

async function faultsOf(events: readonly ExportedEvent[], trust: Partial<Trust> = {}): Promise<string[]> {
  const whole = { logId, key, head: null, ...trust };
  const { faults } = await verifyLog(from(events), whole);
  return faults.map(({ seq, kind }) => `${seq} ${kind}`);
}

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

const at = (seq: number): ExportedEvent => {
  const found = log[seq - 1];
  assert.ok(found !== undefined);
  return found;
};
const withAt = (seq: number, other: ExportedEvent) => log.map((event) => (event.seq === seq ? other : event));

test('a log as it was written has no fault, up to the head that is expected', async () => {
  assert.deepEqual(await faultsOf(log, { head }), []);
  assert.deepEqual(await faultsOf(log, { key: null }), []);
});

test('L01: a change of what an event says is found at that event', async () => {
  assert.deepEqual(await faultsOf(withAt(3, { ...at(3), metadata: '{"n":9}' })), ['3 altered']);
  assert.deepEqual(await faultsOf(withAt(3, { ...at(3), at: 1 })), ['3 altered']);
  assert.deepEqual(await faultsOf(withAt(3, { ...at(3), actor: 'somebody' })), ['3 altered']);
});

test('L01: a change behind a gap is found too, and so is a change of the leaf alone', async () => {
  const changed = withAt(4, { ...at(4), metadata: '{"n":9}' }).filter(({ seq }) => seq !== 3);
  assert.deepEqual(await faultsOf(changed), ['3 missing', '4 altered']);
  assert.deepEqual(await faultsOf(withAt(3, { ...at(3), leaf: at(2).leaf })), ['3 altered']);
});

test('L01: an event that was written anew, its leaf too, does not fit the chain', async () => {
  const [anew] = write([event(3, '{"n":9}')], key, Buffer.from(at(2).link, 'hex'));
  assert.ok(anew !== undefined);
  assert.deepEqual(await faultsOf(withAt(3, { ...anew, link: at(3).link, mac: at(3).mac })), ['3 altered']);
  // With a link of its own, it is the next one that no longer follows.
  assert.deepEqual(await faultsOf(withAt(3, anew), { key: null }), ['4 altered']);
});

test('L02: who lacks the key cannot write the log anew, not even the whole of it', async () => {
  const forged = write(
    [1, 2, 3].map((seq) => event(seq, '{"n":9}')),
    createSecretKey(randomBytes(32)),
  );
  assert.deepEqual(await faultsOf(forged), ['1 altered', '2 altered', '3 altered']);
});

test('L03: an event that is gone, moved, doubled or put in is named', async () => {
  const without = (seq: number) => log.filter((event) => event.seq !== seq);
  assert.deepEqual(await faultsOf(without(3)), ['3 missing']);
  assert.deepEqual(await faultsOf([at(1), at(2), at(4), at(3), at(5), at(6)]), ['3 reordered']);
  assert.deepEqual(await faultsOf([...log.slice(0, 3), at(2), ...log.slice(3)]), ['2 inserted']);
  assert.deepEqual(await faultsOf([...log.slice(0, 3), { ...at(2), seq: 40 }, ...log.slice(3)]), ['40 inserted']);
});

test('L03: a tail that is gone is found where the head is known from elsewhere', async () => {
  assert.deepEqual(await faultsOf(log.slice(0, 4), { head }), ['5 missing']);
  assert.deepEqual(await faultsOf([], { head }), ['1 missing']);
});

test('L04: another log is not taken for this one, though the key is the same', async () => {
  const other = write(
    [1, 2].map((seq) => event(seq)),
    key,
    genesis('b'.repeat(32)),
  );
  assert.deepEqual((await faultsOf(other)).slice(0, 1), ['1 altered']);
});
