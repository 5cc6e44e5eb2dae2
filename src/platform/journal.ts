// Whether standard error goes to systemd's journal, and how a log line tells it its priority (sd-daemon(3)).

import { fstatSync } from 'node:fs';

/** systemd says which socket is the journal's, so that a process whose output was redirected is not deceived. */
export function isJournal(fd: number, env: Readonly<Record<string, string | undefined>>): boolean {
  if (!env.JOURNAL_STREAM) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return env.JOURNAL_STREAM === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

const priorities: Readonly<Record<string, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

/** A line of JSON that begins with its level, behind its priority: `<4>{"level":"warn",…`. The journal takes that away. */
export function withPriority(line: string): string {
  const level = /^\{"level":"(\w+)"/.exec(line)?.[1];
  return `<${priorities[level ?? ''] ?? priorities.info}>${line}`;
}
