// The SQLite store of a server that is to be killed at one commit; which one stands in this module's URL. See die-at-commit.ts.

import type { Store } from '../../store/contract.ts';
import { openSqliteStore as open } from '../../store/sqlite/store.ts';
import { stopAt } from './stopping-store.ts';

const { searchParams } = new URL(import.meta.url);
const at = {
  commit: Number(searchParams.get('commit')),
  when: searchParams.get('when') === 'after' ? 'after' : 'before',
} as const;

export async function openSqliteStore(options: Parameters<typeof open>[0]): Promise<Store> {
  const store = await open(options);
  return stopAt(store, at, {
    onStop: () => process.kill(process.pid, 'SIGKILL'),
    onCommit: () => process.stderr.write('commit\n'),
  });
}
