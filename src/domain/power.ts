// The power of a board, as far as the scheduler knows it: a holder's own actions, whether the board may be on, and when it
// must be switched off before anybody else gets it.
import type { CommandTypes, PowerReply } from './commands.ts';
import { endingLimit, findOwn, withIdleEnd } from './locks.ts';
import type { BoardRecord, JobRecord, LockRecord } from './records.ts';
import { formatToken } from './records.ts';
import { offerSlotOf } from './slots.ts';
import type { Step } from './step.ts';

/**
 * The holder switches the board. It may be on from here on, before the agent hears of it. The action has the newest token
 * of the lock, so that a job that runs under it goes on, and whatever is newer ends the action.
 */
export function power(step: Step, body: CommandTypes['power']['body']): PowerReply {
  const { caller, board, key, action, request } = body;
  const found = findOwn(step, caller, board, key);
  if (found.kind === 'not-held' || found.kind === 'wrong-key' || found.kind === 'reclaimed')
    return { kind: found.kind };
  const { lock } = found;
  if (!lock || lock.power) return { kind: 'switching' };
  if (step.state.boards.get(board)?.agent !== 'present') return { kind: 'agent-away' };
  const switched = action === 'off' ? {} : ({ switchedOn: true } as const);
  if (action !== 'off') markOn(step, board);
  const sent = withIdleEnd(step, { ...lock, ...switched, power: { request, action } });
  step.put('lock', board, sent);
  step.audit.push({ event: 'power', by: caller.user, board, token: formatToken(lock.token), detail: action });
  sendPower(step, sent, { again: false });
  return { kind: 'sent', token: lock.lastToken };
}

export function sendPower(step: Step, lock: LockRecord, { again }: { again: boolean }): void {
  if (!lock.power) return;
  const { board, lastToken: token } = lock;
  step.effects.push({ kind: 'power', board, token, ...lock.power, again });
}

/** The answer to the action that is waited for; one to an earlier action, or to one that was overtaken, says nothing. */
export function powered(step: Step, body: CommandTypes['powered']['body']): undefined {
  const lock = step.state.locks.get(body.board);
  if (!lock?.power || lock.power.request !== body.request) return;
  const { power: sent, ...answered } = lock;
  const { switchedOn: _on, ...off } = answered;
  // Of a job that loads files the end says whether the board may be on.
  const job = lock.job === undefined ? undefined : step.state.jobs.get(lock.job);
  const isOff = body.ok && sent.action === 'off' && (!job || job.consoleOnly === true);
  if (isOff) markOff(step, lock.board);
  const after = isOff ? off : answered;
  step.put('lock', lock.board, lock.state === 'held' ? withIdleEnd(step, after) : after);
  if (!body.ok)
    step.audit.push({ event: 'power-failed', by: lock.user, board: lock.board, detail: body.detail });
  offerSlotOf(step, lock.board);
}

export function markOn(step: Step, name: string): void {
  const board = step.state.boards.get(name);
  if (board && !board.mayBeOn) step.put('board', name, { ...board, mayBeOn: true });
}

export function markOff(step: Step, name: string): void {
  const board = step.state.boards.get(name);
  if (board?.mayBeOn) step.put('board', name, { ...board, mayBeOn: false });
}

/** Whether the board may be on after a job. What its holder did meanwhile may be newer than what the job reports. */
export function isOnAfter(
  step: Step,
  job: JobRecord,
  { before, reported }: { before: boolean; reported: boolean },
): boolean {
  if (job.consoleOnly) return before;
  return reported || step.state.locks.get(job.board)?.switchedOn === true;
}

/** Whether the power is to go off at the end of this lock: also where nobody knows how far the holder's last action is. */
export function mustGoOff(step: Step, lock: LockRecord): boolean {
  if (lock.power) return true;
  return step.state.boards.get(lock.board)?.mayBeOn === true && !isLeft(step, lock.board);
}

/** A board that has left the configuration is not left on. */
function isLeft(step: Step, name: string): boolean {
  return step.state.labIndex.findBoard(name)?.betweenHolders === 'leave';
}

/** A free board may be on only where it is left as it is: after another configuration it may be so no longer. */
export function secureFree(step: Step, name: string): void {
  const board = step.state.boards.get(name);
  if (!board?.mayBeOn || step.state.locks.has(name)) return;
  if (board.health.state === 'broken' || board.succeeds || isLeft(step, name)) return;
  switchOff(step, board);
}

/** A board came free without a power off that worked: one is tried before anybody gets it, under a lock of the lab's own. */
export function switchOff(step: Step, board: BoardRecord): void {
  const token = step.drawToken();
  const note = 'switched off before the next holder';
  step.put('lock', board.name, {
    board: board.name,
    token,
    lastToken: token,
    user: 'system',
    key: '0',
    set: 'system',
    state: 'ending',
    kind: 'lock',
    ticket: 0,
    grantedWallAt: step.wallAt,
    holdSeconds: 0,
    overdue: false,
    ending: { reason: 'released', by: 'system', note, since: step.now, ...endingLimit(step, board) },
    note,
  });
  step.effects.push({ kind: 'power-off', board: board.name, token });
}
