// Run on a small disk of its own: `node sqlite-disk-full.ts FOLDER`. Fills it by committing, sees that the refused
// batches leave nothing, makes room and goes on. Exits 0 if all is right.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entryUrl } from '../../src/platform/entry-url.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { countStored, numberedBatch } from './batches.ts';

const folder = process.argv[2] ?? '';
const ballast = join(folder, 'ballast');
writeFileSync(ballast, Buffer.alloc(1024 * 1024));
const open = () =>
  openSqliteStore({ path: join(folder, 'mq.db'), threadUrl: entryUrl('store/sqlite/thread.ts') });
let store = await open();
let count = 0;
for (;;) {
  const outcome = await store.commit(numberedBatch(count + 1, 20_000));
  if (outcome.kind === 'committed') {
    count += 1;
    continue;
  }
  assert.equal(outcome.kind, 'refused', JSON.stringify(outcome));
  break;
}
assert.ok(count > 5, `only ${count} batches found room`);
assert.equal(await countStored(store), count);
assert.equal((await store.commit(numberedBatch(count + 1, 40_000))).kind, 'refused');
rmSync(ballast);
for (let more = 0; more < 10; more += 1) {
  count += 1;
  assert.deepEqual(await store.commit(numberedBatch(count, 10_000)), { kind: 'committed' });
}
assert.equal(await countStored(store), count);
await store.close();
store = await open();
assert.equal(await countStored(store), count);
await store.close();
