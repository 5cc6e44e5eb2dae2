// Ends a program together with all it started: its children and theirs, whatever is in its session, and what
// left both but still carries its mark in the environment. SIGTERM first, SIGKILL after a stated delay, and
// again until nothing is left. May signal processes.
//
// What escapes: a process that leaves the session, loses its parent and clears its environment.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  filterMarked,
  hasProcessTable,
  isRunning,
  listProcesses,
  type ProcessEntry,
  type ProcessIdentity,
} from './process-table.ts';

export interface ProcessTree {
  /** Programs that were started as leaders of their own sessions (`detached`). */
  readonly leaders: readonly ProcessIdentity[];
  /** Variables in the environment of all that they started; together they must be unique to the tree. */
  readonly marker?: Readonly<Record<string, string>>;
}

export interface EndOptions {
  /** Ends the waiting, by rejecting with its reason; what was signalled stays so. */
  readonly signal: AbortSignal;
  /** From SIGTERM to SIGKILL; 2 seconds if not given. */
  readonly graceMilliseconds?: number;
  /** false: do as on a system without a process table, where only the leaders' groups can be ended. */
  readonly hasTable?: boolean;
}

export interface EndResult {
  /** How many processes were signalled. */
  readonly ended: number;
  /** What is still there 10 seconds after SIGKILL: another user's, or stuck in the kernel. */
  readonly remaining: readonly ProcessIdentity[];
}

const defaultGraceMilliseconds = 2_000;
const killedMilliseconds = 10_000;
const firstPauseMilliseconds = 5;
const pauseMillisecondsMax = 50;
/** After SIGKILL, how long until a new look for processes that were made meanwhile. */
const rescanMilliseconds = 200;

/** Ends the tree and waits until it is gone. On systems without a process table only the leaders' groups. */
export async function endTree(tree: ProcessTree, options: EndOptions): Promise<EndResult> {
  const { hasTable = hasProcessTable() } = options;
  const killAt = performance.now() + (options.graceMilliseconds ?? defaultGraceMilliseconds);
  const giveUpAt = killAt + killedMilliseconds;
  const signalled = new Set<string>();
  while (true) {
    options.signal.throwIfAborted();
    const members = hasTable ? await findMembers(tree) : findGroups(tree);
    const sending = performance.now() < killAt ? 'SIGTERM' : 'SIGKILL';
    for (const member of members) {
      signalled.add(`${member.pid} ${member.startTime}`);
      send(member.pid, sending);
    }
    // Those that refuse SIGTERM get the delay that they were promised, and no second SIGTERM.
    const until = sending === 'SIGTERM' ? killAt : Math.min(performance.now() + rescanMilliseconds, giveUpAt);
    const remaining = await waitUntilGone(members, until, options.signal);
    if (members.length === 0 || performance.now() >= giveUpAt) return { ended: signalled.size, remaining };
  }
}

/**
 * Ends what a crashed predecessor of this process left: the leaders that it noted before it used them, if
 * they are still the same processes, and all that carries its marker. Where the system has no process table
 * nothing can be told apart, so nothing is signalled, and leaders that seem to run are `remaining`.
 */
export async function endLeftovers(
  leftovers: { readonly marker: Readonly<Record<string, string>>; readonly pids: readonly ProcessIdentity[] },
  options: EndOptions,
): Promise<EndResult> {
  const { hasTable = hasProcessTable() } = options;
  if (!hasTable) {
    return { ended: 0, remaining: leftovers.pids.filter(({ pid }) => send(pid, 0)) };
  }
  return endTree({ leaders: leftovers.pids, marker: leftovers.marker }, options);
}

/** Those that are still there at the given moment; returns at once when none is. */
async function waitUntilGone(
  members: readonly ProcessIdentity[],
  until: number,
  signal: AbortSignal,
): Promise<readonly ProcessIdentity[]> {
  let remaining = members;
  for (let pause = firstPauseMilliseconds; ; pause = Math.min(pause * 2, pauseMillisecondsMax)) {
    remaining = remaining.filter(isThere);
    const leftMilliseconds = until - performance.now();
    if (remaining.length === 0 || leftMilliseconds <= 0) return remaining;
    await sleep(Math.min(pause, leftMilliseconds), undefined, { signal });
  }
}

function isThere(identity: ProcessIdentity): boolean {
  // A negative number is a whole group, on systems without a table.
  return identity.pid < 0 ? send(identity.pid, 0) : isRunning(identity);
}

/** False where there is nobody (any more) to get the signal. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    // Another user's process can't be signalled; it shows as remaining.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function findGroups(tree: ProcessTree): ProcessIdentity[] {
  const groups = tree.leaders.map(({ pid, startTime }) => ({ pid: -pid, startTime }));
  return groups.filter(isThere);
}

/** All running processes of the tree. Needs a process table. */
export async function findMembers(tree: ProcessTree): Promise<ProcessEntry[]> {
  const all = await listProcesses();
  const others = all.filter(({ pid }) => pid !== process.pid && pid !== 1);
  const members = new Map<number, ProcessEntry>();
  for (const entry of others) if (belongsToLeader(entry, tree, all)) members.set(entry.pid, entry);
  for (const entry of await filterMarked(others, tree.marker ?? {})) members.set(entry.pid, entry);
  // Children may come before their parents in the list: go on until a round adds nothing.
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const entry of others) if (members.has(entry.parentPid)) members.set(entry.pid, entry);
  }
  return [...members.values()];
}

/** A leader itself, or of its session: the kernel gives a session's number to nobody else while it has members. */
function belongsToLeader(entry: ProcessEntry, tree: ProcessTree, all: readonly ProcessEntry[]): boolean {
  return tree.leaders.some((leader) => {
    if (entry.pid === leader.pid) return entry.startTime === leader.startTime;
    if (entry.sessionId !== leader.pid && entry.groupId !== leader.pid) return false;
    const holder = all.find(({ pid }) => pid === leader.pid);
    const [boot, ticks] = leader.startTime.split('/');
    const isLaterStart = entry.startTime.startsWith(`${boot}/`) && entry.startTicks >= Number(ticks);
    return isLaterStart && (holder === undefined || holder.startTime === leader.startTime);
  });
}
