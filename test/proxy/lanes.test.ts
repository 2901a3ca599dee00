import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { createLanes } from '../../proxy/lanes.ts';

test('a request of a connection begins when everything before it is done, and no sooner', async () => {
  const lanes = createLanes();
  const socket = new PassThrough();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const begun: number[] = [];
  lanes.enter(socket, async () => {
    begun.push(1);
    await first.promise;
  });
  lanes.enter(socket, async () => {
    begun.push(2);
    second.resolve();
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(begun, [1]);
  assert.equal(lanes.busy(socket), 2);
  first.resolve();
  await second.promise;
  assert.deepEqual(begun, [1, 2]);
});

test('connections do not wait for each other', () => {
  const lanes = createLanes();
  const begun: number[] = [];
  lanes.enter(new PassThrough(), () => new Promise(() => begun.push(1)));
  lanes.enter(new PassThrough(), () => new Promise(() => begun.push(2)));
  assert.deepEqual(begun, [1, 2]);
});

test('H08: a connection has at most 32 requests waiting', () => {
  const lanes = createLanes();
  const socket = new PassThrough();
  const taken = Array.from({ length: 100 }, () => lanes.enter(socket, () => new Promise(() => undefined)));
  assert.equal(taken.filter(Boolean).length, 32);
});

test('a poisoned connection takes no further request', () => {
  const lanes = createLanes();
  const socket = new PassThrough();
  lanes.poison(socket);
  assert.equal(
    lanes.enter(socket, () => assert.fail('it was taken')),
    false,
  );
  assert.ok(lanes.isPoisoned(socket));
});
