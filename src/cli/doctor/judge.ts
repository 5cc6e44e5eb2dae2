// What a doctor makes of what was found: what is well, what is worth knowing, and what is wrong with the way to mend it.
// Pure.
import type { ResponseOf } from '../../protocol/operations.ts';
import type { BoardView, StatusView } from '../../protocol/views.ts';
import { bytesText } from '../../server/text.ts';

export interface Check {
  readonly name: string;
  /** `note`: somebody wanted it so; it is no trouble. */
  readonly state: 'good' | 'note' | 'trouble';
  readonly what: string;
  readonly fix?: string;
}

const nodeMin = 24;
const diskFreeMin = { part: 0.05, bytes: 512 * 1024 * 1024 };
const skewMsMax = 5_000;

export function judgeNode(version: string): Check {
  const what = `this mq runs on Node ${version}`;
  if (Number(version.split('.')[0]) >= nodeMin) return { name: 'node', state: 'good', what };
  return { name: 'node', state: 'trouble', what, fix: `Use Node ${nodeMin} or newer.` };
}

/** @param own the version of this program */
export function judgeServer(hello: ResponseOf<'hello'>, own: string): Check {
  const admin = hello.admin ? ', an admin of it' : '';
  const what = `lab ${hello.lab}, mq ${hello.version}; you are ${hello.user}${admin}`;
  if (hello.version === own) return { name: 'server', state: 'good', what };
  return {
    name: 'server',
    state: 'trouble',
    what: `${what}; this mq is ${own}`,
    fix: `Use mq ${hello.version} here, or bring the server to ${own} and start it again.`,
  };
}

export function judgeDisk({ disk, use }: Pick<ResponseOf<'health'>, 'disk' | 'use'>): Check {
  const taken = use ? `; the lab takes ${bytesText(use.bytes)} of at most ${bytesText(use.bytesMax)}` : '';
  const what = `${bytesText(disk.freeBytes)} of ${bytesText(disk.sizeBytes)} are free for the server's state${taken}`;
  const least = Math.min(disk.sizeBytes / 2, Math.max(diskFreeMin.bytes, disk.sizeBytes * diskFreeMin.part));
  if (disk.freeBytes >= least) return { name: 'disk', state: 'good', what };
  const fix = 'Make room on that disk, or lower disk_max in the configuration and reload it.';
  return { name: 'disk', state: 'trouble', what, fix };
}

/** @param times before and behind the question by the clock here, and what the server's said in between */
export function judgeClock({
  beforeAt,
  serverAt,
  behindAt,
}: {
  beforeAt: number;
  serverAt: number;
  behindAt: number;
}): Check {
  const skewMs = Math.max(0, beforeAt - serverAt, serverAt - behindAt);
  if (skewMs <= skewMsMax) return { name: 'clock', state: 'good', what: "this clock and the server's agree" };
  const side = serverAt < beforeAt ? 'ahead of' : 'behind';
  return {
    name: 'clock',
    state: 'trouble',
    what: `this clock is ${Math.round(skewMs / 1000)} s ${side} the server's`,
    fix: 'Set both by NTP: times that one shows are wrong on the other.',
  };
}

export function judgeAgent({ agent }: Pick<ResponseOf<'health'>, 'agent'>): Check {
  if (agent === 'connected')
    return { name: 'agent', state: 'good', what: 'the agent at the boards is connected' };
  return {
    name: 'agent',
    state: 'trouble',
    what: 'the agent at the boards is away; no board can be used',
    fix: "The server starts it again by itself; if that goes on, the server's log says why it can't.",
  };
}

export function judgeMode({ mode }: Pick<StatusView, 'mode'>): Check | undefined {
  if (mode === 'open') return undefined;
  const what =
    mode === 'settling'
      ? 'it has just started and waits for its clients'
      : 'it is leaving and gives no more boards away';
  return { name: 'mode', state: 'note', what };
}

/** One check for each board that has something, or one that says that none has. Without an agent no board has one. */
export function judgeBoards(
  boards: readonly BoardView[],
  { agent }: Pick<ResponseOf<'health'>, 'agent'>,
): Check[] {
  const seen = agent === 'away' ? boards.map((board) => ({ ...board, agentPresent: true })) : boards;
  const checks = [...judgeLockFiles(boards), ...seen.flatMap((board) => judgeBoard(board) ?? [])];
  if (agent === 'away') return checks;
  const count = `${boards.length} board${boards.length === 1 ? '' : 's'}`;
  return checks.length > 0 ? checks : [{ name: 'boards', state: 'good', what: `${count}, all usable` }];
}

/** What ails the folder ails all of its boards, and is told once. */
function judgeLockFiles(boards: readonly BoardView[]): Check[] {
  const failing = Map.groupBy(
    boards.filter(({ lockFileNote }) => lockFileNote !== undefined),
    ({ lockFileNote }) => lockFileNote ?? '',
  );
  const fix =
    'The folder of lock_files must be there, and writable for the server. It goes on by itself then.';
  return [...failing].map(([note, found]) => {
    const which = found.length === 1 ? `board ${found[0]?.board}` : `${found.length} boards`;
    return { name: 'lock files', state: 'trouble', what: `${which} can't be locked: ${note}`, fix };
  });
}

function judgeBoard({
  board,
  health,
  healthNote,
  service,
  serviceNote,
  agentPresent,
}: BoardView): Check | undefined {
  const name = `board ${board}`;
  const why = (note: string | undefined) => (note === undefined || note === '' ? '' : `: ${note}`);
  if (health === 'broken') {
    const fix = `When it works again: mq board resume ${board}`;
    return { name, state: 'trouble', what: `broken${why(healthNote)}`, fix };
  }
  if (!agentPresent) {
    const fix = "See the agent's check above, and the driver of this board in the server's log.";
    return { name, state: 'trouble', what: 'its agent does not offer it', fix };
  }
  if (health === 'suspect') {
    const fix = `It is given away last. When it is well: mq board resume ${board}`;
    return { name, state: 'trouble', what: `suspect${why(healthNote)}`, fix };
  }
  if (service === 'in') return undefined;
  return {
    name,
    state: 'note',
    what: `${service === 'out' ? 'out of service' : service}${why(serviceNote)}`,
  };
}
