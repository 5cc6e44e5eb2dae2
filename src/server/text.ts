// Small wordings that several messages share.
import type { LockView } from '../protocol/schema.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** `14:02`, or with the day when it is not today's: `Nov 24 14:02`. Local time of the server. */
export function clockTime(wallAt: number, today: number = Date.now()): string {
  const date = new Date(wallAt);
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
  // By hand: the locale's own words take longer than all the rest of a ticket's reasons.
  const now = new Date(today);
  const isToday = date.getDate() === now.getDate() && date.getMonth() === now.getMonth();
  if (isToday && date.getFullYear() === now.getFullYear()) return time;
  return `${months[date.getMonth()]} ${date.getDate()} ${time}`;
}

/** `512 MB`, `1.5 GB`: as configurations write sizes, but for the blank; the unit is a power of 1024. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let value = bytes;
  while (value >= 1024 && units.length > 1) {
    value /= 1024;
    units.shift();
  }
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} ${units[0]}`;
}

/** To somebody who would need the lock: who has the board, and how to get it. */
export function notHolderText(board: string, lock: LockView | undefined): string {
  if (!lock) return `Nobody holds ${board}. Lock it first: mq lock ${board}.`;
  if (lock.state === 'ending') return `The lock on ${board} is ending. Lock it anew: mq lock ${board}.`;
  const until = lock.untilAt === undefined ? '' : `, until ${clockTime(lock.untilAt)} at the earliest`;
  return `${board} is held by ${lock.user} since ${clockTime(lock.sinceAt)}${until}. Wait for it: mq lock ${board}.`;
}

export function otherKeyText(board: string, key: string): string {
  const how = key === '0' ? 'without a key: leave --key out' : `with the key '${key}': give it by --key`;
  return `You hold ${board} ${how}.`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
