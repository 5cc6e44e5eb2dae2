// Locks that are held now, as mails need them. Pure.
import type { LockRecord } from '../../domain/records.ts';
import { formatToken } from '../../domain/records.ts';
import type { State } from '../../domain/state.ts';

export interface HeldLock {
  readonly board: string;
  /** Names this lock and no other, before it and after. */
  readonly token: string;
  readonly user: string;
  readonly key: string;
  readonly note: string;
  /** When the holder took it, or last extended it. Scheduler milliseconds. */
  readonly claimedAt: number;
  /** For people. Wall clock. */
  readonly heldWallAt: number;
  readonly endsWallAt?: number;
  /** Tickets that this board could serve. */
  readonly waiting: number;
}

/** Not the scheduler's own: nobody reads its mail. */
const ownUser = 'system';

export function heldLocks(state: State): HeldLock[] {
  return [...state.locks.values()]
    .filter((lock) => lock.state === 'held' && lock.user !== ownUser)
    .map((lock) => ({ ...viewOf(lock), waiting: waitingFor(state, lock.board) }));
}

function viewOf(lock: LockRecord): Omit<HeldLock, 'waiting'> {
  const { board, user, key, note, endsWallAt } = lock;
  const heldWallAt = lock.heldWallAt ?? lock.grantedWallAt;
  return {
    board,
    token: formatToken(lock.token),
    user,
    key,
    note,
    claimedAt: lock.claimedAt ?? heldWallAt,
    heldWallAt,
    ...(endsWallAt === undefined ? {} : { endsWallAt }),
  };
}

function waitingFor(state: State, board: string): number {
  return state.setsOf(board).reduce((sum, set) => sum + set.queue.size, 0);
}
