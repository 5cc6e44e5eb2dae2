// A store that stops at one commit: what was before it is kept, what comes after it never happens. For crashes at every commit.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../store/contract.ts';

export interface StopAt {
  /** The number of the commit, from 1 on. */
  readonly commit: number;
  /** `after`: that commit is stored, and nobody hears of it. */
  readonly when: 'before' | 'after';
}

export interface Stopping {
  /** Is to end the server, at once. */
  readonly onStop: () => void;
  readonly onCommit: () => void;
  /** Of a server that is no process of its own: when what is left of it may end. Until then the commit is under way. */
  readonly isOver?: Promise<void>;
}

/** As long as a disk takes: what must not be said before the commit would be out by then. */
const writeMs = 5;

/** `onStop` is called at the commit at which it stops. */
export function stopAt(
  store: Store,
  { commit: last, when }: StopAt,
  { onStop, onCommit, isOver }: Stopping,
): Store {
  let count = 0;
  const commit: Store['commit'] = async (batch) => {
    count += 1;
    onCommit();
    if (count < last) return store.commit(batch);
    if (count === last) await (when === 'after' ? store.commit(batch) : sleep(writeMs));
    if (count === last) onStop();
    await (isOver ?? new Promise(() => undefined));
    return { kind: 'unknown', message: 'the server was killed there' };
  };
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'commit') return commit;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
