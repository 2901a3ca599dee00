import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sealedWith } from '../../../control/store/cipher.ts';
import { hold, submission } from '../../support/intents.ts';
import { openTestStore } from '../../support/store.ts';

const key = createSecretKey(randomBytes(32));
const text = Buffer.from('{"iban":"DE02120300000000202051"}');

test('what is closed opens again, and never looks the same twice', () => {
  const cipher = sealedWith(key);
  assert.deepEqual(Buffer.from(cipher.open(cipher.close(text, 'int_1/body'), 'int_1/body')), text);
  assert.notDeepEqual(cipher.close(text, 'int_1/body'), cipher.close(text, 'int_1/body'));
});

test('bytes that were moved to another row, changed, or closed with another key do not open', () => {
  const cipher = sealedWith(key);
  const closed = cipher.close(text, 'int_1/body');
  assert.throws(() => cipher.open(closed, 'int_2/body'));
  const changed = Buffer.from(closed);
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  assert.throws(() => cipher.open(changed, 'int_1/body'));
  assert.throws(() => sealedWith(createSecretKey(randomBytes(32))).open(closed, 'int_1/body'));
});

test('with a data key neither body nor header value stands readable in the data directory; without one both do', async (t) => {
  for (const dataKey of [randomBytes(32), null]) {
    const opened = await openTestStore(dataKey);
    t.after(() => opened.close());
    const { store, dir } = opened;
    const secret = 'Bearer sk_live_4242';
    await store.submit(submission(1, hold(), { payload: { headers: [['Authorization', secret]], bytes: text } }));
    const files = readdirSync(dir).map((name) => readFileSync(join(dir, name)));
    const isReadable = (bytes: string | Buffer) => files.some((file) => file.includes(bytes));
    assert.equal(isReadable(secret), dataKey === null);
    assert.equal(isReadable(text), dataKey === null);
  }
});
