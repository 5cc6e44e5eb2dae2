// A process of its own that commits numbered batches until it is killed: `node sqlite-scribe.ts DATABASE`. For each
// batch that was acknowledged it prints the number.
import { writeSync } from 'node:fs';
import { entryUrl } from '../../src/platform/entry-url.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { countStored, numberedBatch } from './batches.ts';

const store = await openSqliteStore({
  path: process.argv[2] ?? '',
  threadUrl: entryUrl('store/sqlite/thread.ts'),
});
for (let number = (await countStored(store)) + 1; ; number += 1) {
  const outcome = await store.commit(numberedBatch(number, (number * 977) % 20_000));
  if (outcome.kind !== 'committed') throw new Error(JSON.stringify(outcome));
  writeSync(1, `${number}\n`);
}
