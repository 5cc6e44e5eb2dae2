// The store's contract over every backend.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { entryUrl } from '../../src/platform/entry-url.ts';
import { openSqliteStore } from '../../src/store/sqlite/store.ts';
import { MemoryStore } from '../../src/testing/memory-store.ts';
import { testStore } from '../../src/testing/store-suite.ts';

testStore('sqlite', async (use) => {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  try {
    await use({
      open: () =>
        openSqliteStore({ path: join(folder, 'mq.db'), threadUrl: entryUrl('store/sqlite/thread.ts') }),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

testStore('memory', async (use) => {
  let store = new MemoryStore();
  await use({
    open: async () => {
      store = store.reopen();
      return store;
    },
  });
});
