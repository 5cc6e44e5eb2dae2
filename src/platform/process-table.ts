// What the system knows of its processes, from /proc: which there are, who made them, what marks they carry.
// Linux only; elsewhere there is no table, and callers must do with process groups. Reads only.

import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';

/**
 * A process beyond doubt: a pid alone may belong to another one by now. `startTime` is opaque: what
 * `readStartTime` gave, unique on this machine over all its boots.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: string;
}

export interface ProcessEntry extends ProcessIdentity {
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** Clock ticks since the boot, to compare two processes. */
  readonly startTicks: number;
  /** It has ended, and only waits for its parent to notice. */
  readonly isZombie: boolean;
}

/** Files read at once: enough to be quick, few enough to leave descriptors to others. */
const readsAtOnce = 32;

let bootId: string | undefined;

function readBootId(): string {
  bootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootId;
}

/** Whether this system has a table; without one no process but our own children can be told from another. */
export function hasProcessTable(): boolean {
  return process.platform === 'linux';
}

/**
 * The start time of a process, synchronously, so that it can be noted before the process is used: a child that
 * has just been made is there, even if it has ended by itself. Undefined where there is none, or no table.
 */
export function readStartTime(pid: number): string | undefined {
  return readEntry(pid)?.startTime;
}

/** Whether this very process still runs; a zombie does not. */
export function isRunning({ pid, startTime }: ProcessIdentity): boolean {
  const entry = readEntry(pid);
  return entry?.startTime === startTime && !entry.isZombie;
}

function readEntry(pid: number): ProcessEntry | undefined {
  try {
    return parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/** All processes that run. Rejects where the system has no table. */
export async function listProcesses(): Promise<ProcessEntry[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const entries = await mapAFew(pids, async (pid) => {
    const text = await readOrNothing(`/proc/${pid}/stat`);
    return text === undefined ? undefined : parseStat(pid, text.toString('latin1'));
  });
  return entries.filter((entry) => entry !== undefined).filter(({ isZombie }) => !isZombie);
}

/**
 * Those of the processes whose environment had all these variables when they began. A process of another
 * user does not show its environment and is left out.
 */
export async function filterMarked(
  entries: readonly ProcessEntry[],
  marker: Readonly<Record<string, string>>,
): Promise<ProcessEntry[]> {
  const wanted = Object.entries(marker).map(([name, value]) => Buffer.from(`\0${name}=${value}\0`));
  if (wanted.length === 0) return [];
  const marked = await mapAFew(entries, async (entry) => {
    const environment = await readOrNothing(`/proc/${entry.pid}/environ`);
    if (environment === undefined) return undefined;
    const framed = Buffer.concat([Buffer.of(0), environment, Buffer.of(0)]);
    return wanted.every((variable) => framed.includes(variable)) ? entry : undefined;
  });
  return marked.filter((entry) => entry !== undefined);
}

/** Source: proc_pid_stat(5). The name in parentheses may hold spaces and parentheses itself. */
function parseStat(pid: number, text: string): ProcessEntry | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parentPid, groupId, sessionId] = fields;
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined) return undefined;
  return {
    pid,
    startTime: `${readBootId()}/${startTicks}`,
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    sessionId: Number(sessionId),
    startTicks: Number(startTicks),
    isZombie: 'ZXx'.includes(state),
  };
}

/** Undefined where the process ended meanwhile, or is another user's. */
async function readOrNothing(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch {
    return undefined;
  }
}

async function mapAFew<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += readsAtOnce) {
    results.push(...(await Promise.all(items.slice(from, from + readsAtOnce).map(work))));
  }
  return results;
}
