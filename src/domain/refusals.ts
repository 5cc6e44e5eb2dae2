// Why a request is refused at once: what it asks for can never be had, is its asker's already, or is over a limit.
import type { Submit } from './commands.ts';
import type { LockRecord, Refusal, SingleTarget, TargetSpec } from './records.ts';
import { canEverHave } from './several.ts';
import type { Step } from './step.ts';
import { formatTarget, type ResolvedTarget } from './target.ts';

/** `mine`: a lock that the asker has on one of the boards, under the same key. */
export function findRefusal(
  step: Step,
  body: Submit,
  boards: ResolvedTarget,
  mine: LockRecord | undefined,
): Refusal | undefined {
  const { state } = step;
  const [only] = boards.boards;
  if (only === undefined || !canEverHave(state, body))
    return { kind: 'no-board', message: noBoardText(step, body) };
  if (mine && (body.target.kind === 'board' || body.target.kind === 'several'))
    return { kind: 'already-yours', board: mine.board, token: mine.token, key: mine.key };
  const { limits } = state.lab;
  if ((state.ticketsByUser.get(body.caller.user)?.size ?? 0) >= limits.ticketsPerUser) {
    return { kind: 'limit', limit: 'ticketsPerUser', value: limits.ticketsPerUser };
  }
  if (body.kind === 'slot') return findSlotRefusal(step, body, only);
  if (body.target.kind !== 'several') return findQueueRefusal(step, [boards]);
  const count = body.target.needs.reduce((sum, need) => sum + need.count, 0);
  if (count > limits.boardsPerTicket)
    return { kind: 'limit', limit: 'boardsPerTicket', value: limits.boardsPerTicket };
  return findQueueRefusal(
    step,
    body.target.needs.map(({ target }) => state.labIndex.resolve(target, body.needs)),
  );
}

/** Whether a queue of one of these is full, or may not be made. */
function findQueueRefusal({ state }: Step, targets: readonly ResolvedTarget[]): Refusal | undefined {
  const { limits } = state.lab;
  const made = new Map<string, ResolvedTarget>();
  for (const boards of targets) {
    const key = state.findSetKey(boards);
    if (key === undefined) made.set(boards.name, boards);
    else if ((state.findSet(key)?.waiting ?? 0) >= limits.queueLength)
      return { kind: 'limit', limit: 'queueLength', value: limits.queueLength };
  }
  const adHoc = new Map<string, number>();
  for (const board of [...made.values()].flatMap(({ boards }) => boards)) {
    const before = () => state.setsOf(board).filter((set) => set.key.startsWith('q:')).length;
    adHoc.set(board, (adHoc.get(board) ?? before()) + 1);
  }
  return [...adHoc.values()].some((count) => count > limits.adHocQueuesPerBoard)
    ? { kind: 'limit', limit: 'adHocQueuesPerBoard', value: limits.adHocQueuesPerBoard }
    : undefined;
}

function findSlotRefusal(step: Step, body: Submit, board: string): Refusal | undefined {
  if (body.target.kind !== 'board') return undefined;
  const lock = step.state.locks.get(board);
  if (lock?.state !== 'held' || lock.user !== body.caller.user || lock.kind !== 'lock')
    return { kind: 'not-holder', board };
  return lock.key === body.key ? undefined : { kind: 'wrong-key', board };
}

function noBoardText({ state }: Step, body: Submit): string {
  const { target } = body;
  if (target.kind === 'several') return severalText((one) => state.labIndex.members(one).length, target);
  if (state.labIndex.members(target).length === 0) return noneText(target);
  return `No board of ${formatTarget(target)} can take this job: see the number of files, -L and -b.`;
}

function severalText(
  countOf: (target: SingleTarget) => number,
  target: Extract<Submit['target'], { kind: 'several' }>,
): string {
  const short = target.needs.find((need) => countOf(need.target) < need.count);
  if (!short) return `The lab has too few boards for ${formatTarget(target)}: none counts twice.`;
  const has = countOf(short.target);
  if (has === 0) return noneText(short.target);
  const name = formatTarget(short.target);
  return `${name} has ${has} board${has === 1 ? '' : 's'}, and ${short.count} were asked for.`;
}

function noneText(target: TargetSpec): string {
  return `No board matches ${formatTarget(target)} now.`;
}
