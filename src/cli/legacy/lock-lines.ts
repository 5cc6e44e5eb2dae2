// The old scripts' lines about locks, byte for byte. Pure. Names and keys come from other people: control characters
// in them are shown escaped, so that no key can forge a line.
import type { LockView, MemberView } from '../../protocol/schema.ts';
import { escapeText } from '../terminal/escape.ts';

/** The `-info` line of one board. */
export function infoLine(board: string, lock: LockView | undefined): string {
  const name = escapeText(board);
  if (!lock) return `Lock for ${name} currently free`;
  const key = lock.key === noKey ? '' : ` with key '${escapeText(lock.key)}'`;
  const since = lockTime(lock.sinceAt);
  return `Lock for ${name} held by ${escapeText(lock.user)} since ${since}, timeout ${lock.holdSeconds ?? 0}${key}`;
}

/** The `-mr-info` line of one board; `dumpall` has the same. */
export function mrInfoLine(board: string, lock: LockView | undefined): string {
  const name = escapeText(board);
  if (!lock) return `${name} FREE`;
  const key = lock.key === noKey ? '' : ` ${escapeText(lock.key)}`;
  return `${name} LOCKED ${escapeText(lock.user)} ${lockTime(lock.sinceAt)}${key}`;
}

/** The key of who gave none. */
export const noKey = '0';

/**
 * As `stat` shows a time: `2026-11-24 21:02:03.197423842 +0000`, in local time. The digits that the number does not
 * hold are zeros, so that the same lock always shows the same time.
 *
 * @param atMs wall-clock milliseconds
 */
export function lockTime(atMs: number): string {
  const date = new Date(Math.floor(atMs));
  const nanoseconds = date.getMilliseconds() * 1_000_000 + Math.floor((atMs - Math.floor(atMs)) * 1_000_000);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(nanoseconds).padStart(9, '0')} ${offset(-date.getTimezoneOffset())}`;
}

function offset(minutes: number): string {
  const positive = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(positive / 60))}${two(positive % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** What a wish names, and whether it is one board or several. */
export interface TargetName {
  readonly kind: 'board' | 'pool';
  /** As the user gave it; a board keeps it in every line, also where it is an alias. */
  readonly target: string;
}

/** Every member's line. */
export function memberLines(
  about: TargetName,
  members: readonly MemberView[],
  line: (board: string, lock: LockView | undefined) => string,
): string[] {
  return members.map(({ board, lock }) => line(about.kind === 'board' ? about.target : board, lock));
}

/** What `sem -wait` says about a pool's members that were passed over or taken. */
export function attemptLines({ kind, target }: TargetName, members: readonly MemberView[]): string[] {
  if (kind === 'board') return [];
  return members.map(({ board }) => attemptLine(board, target));
}

/** What `run` says about each member that was looked at: the board itself, or those of a pool. */
export function acquiringLines({ kind, target }: TargetName, members: readonly MemberView[]): string[] {
  return members.flatMap(({ board, lock }) => {
    const name = kind === 'board' ? target : board;
    const lines = [`Acquiring lock for ${escapeText(name)}`, infoLine(name, lock)];
    return kind === 'board' ? lines : [attemptLine(board, target), ...lines];
  });
}

/** After a round over a pool in which no member was free. */
export function roundDoneLines({ kind, target }: TargetName, members: readonly MemberView[]): string[] {
  const last = members.at(-1);
  if (kind === 'board' || !last) return [];
  return [`Done attempting system ${escapeText(last.board)} in pool ${escapeText(target)}`];
}

export function failedLine({ kind, target }: TargetName): string {
  const name = escapeText(target);
  return kind === 'board'
    ? `Failed to acquire lock for system (${name})`
    : `Failed to acquire lock for any system in pool (${name})`;
}

export function alreadyYoursLine(key: string): string {
  return key === noKey
    ? 'Attempting to grab lock you already own. Please explicitly release'
    : 'Attempting to grab lock you already own with the same key. Please explicitly release';
}

/** What `-signal` says about one board that it did not release; undefined where it did. */
export function releaseLine(board: string, outcome: string): string | undefined {
  if (outcome === 'not-held' || outcome === 'not-allowed')
    return `Attempting to unlock system ${escapeText(board)} that you do not hold`;
  if (outcome === 'wrong-key') return `Attempting to unlock system ${escapeText(board)} with the wrong key!`;
  return undefined;
}

export const lockAcquiredLine = 'Lock acquired, we are allowed to run';

/** What `run -n` says about a board that the user does not hold, or holds with another key. */
export function slotRefusedLines(board: string, lock: LockView | undefined, user: string): string[] {
  const failed = `Failed to acquire lock for system (${escapeText(board)})`;
  const start = 'Failed to run because you said you own the lock (-n flag), but you';
  if (lock?.user === user) return [`${start} gave the wrong key!`, failed];
  return [`${start} don't!`, infoLine(board, lock), failed];
}

/** Which boards and pools there are, for a name that is none of them. */
export function unknownTargetLines(
  target: string,
  lab: { boards: readonly string[]; pools: readonly string[] },
): string[] {
  return [
    `System or pool '${escapeText(target)}' does not exist. Valid systems are`,
    ...lab.boards,
    'Valid pools are',
    lab.pools.join(' '),
  ];
}

function attemptLine(board: string, pool: string): string {
  return `Attempting system ${escapeText(board)} in pool ${escapeText(pool)}`;
}
