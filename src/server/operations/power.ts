// Operations on the power of a board that the caller holds.
import { randomUUID } from 'node:crypto';
import type { PowerReply } from '../../domain/commands.ts';
import type { LockRecord } from '../../domain/records.ts';
import { formatToken } from '../../domain/records.ts';
import type { State } from '../../domain/state.ts';
import { MqError } from '../../protocol/errors.ts';
import type { RequestOf } from '../../protocol/operations.ts';
import type { SwitchAnswer } from '../board-powers.ts';
import { notHolderText, otherKeyText } from '../text.ts';
import { viewLock } from '../views.ts';
import { type Call, type Handler, identify, resolveLockedBoard } from './call.ts';
import { busyError } from './locks.ts';

/** Longer than an agent takes for a cycle that hangs, behind an action that hangs. */
const answerMs = 120_000;

export const power: Handler<'power'> = async (call, body) => {
  const earlier = await call.lab.core.recall<{ board: string }>(identify(call, 'power', body));
  const { board } = earlier?.answer ?? (await begin(call, body));
  const answer = await awaitAnswer(call, board, body.requestId);
  if (answer?.outcome !== 'done') throw failure(board, answer);
  const mayBeOn = await call.lab.core.read((state) => state.boards.get(board)?.mayBeOn ?? false);
  return { board, mayBeOn };
};

/** What can be told before the command is refused so, which would be stored: a repeat may find it otherwise. */
async function begin(call: Call, body: RequestOf<'power'>): Promise<{ board: string }> {
  const { core, agents } = call.lab;
  const { key, action, requestId: request } = body;
  const board = await core.read((state) => {
    const name = resolveLockedBoard(state, body.board);
    if (!isHolder(state.locks.get(name), call, key)) return name;
    checkPresent(state, name);
    agents.powers.check(name, action === 'off' ? 'power-off' : 'power-on');
    return name;
  });
  const command = { name: 'power' as const, body: { caller: call.caller, board, key, action, request } };
  return core.answer(command, identify(call, 'power', body), (reply, state) => {
    if (reply.kind !== 'sent') throw refusal(reply, board, state);
    return { board };
  });
}

/** What became of it. After a restart of the server it is only known where the agent is still to be asked. */
async function awaitAnswer(call: Call, board: string, request: string): Promise<SwitchAnswer | undefined> {
  const { core, agents } = call.lab;
  const isPending = await core.read((state) => state.locks.get(board)?.power?.request === request);
  if (!isPending && !agents.powers.knows(request)) {
    return { outcome: 'unknown', detail: 'the server has been restarted meanwhile' };
  }
  return agents.powers.answerTo(request, { ms: answerMs, signal: call.signal });
}

export const powerStatus: Handler<'power-status'> = async (call, body) => {
  const { core, agents } = call.lab;
  const asked = await core.read((state) => {
    const board = resolveLockedBoard(state, body.board);
    const lock = state.locks.get(board);
    if (!lock || !isHolder(lock, call, body.key)) throw holderError(lock, { board, call });
    const known = { board, mayBeOn: state.boards.get(board)?.mayBeOn ?? false };
    if (!agents.powers.can(board, 'power-status')) return known;
    checkPresent(state, board);
    // Sent in this turn, so that whatever is newer comes behind it.
    const request = randomUUID();
    agents.send({
      ...{
        type: 'power',
        board,
        token: formatToken(lock.lastToken),
        request,
        action: 'status',
        again: false,
      },
    });
    return { ...known, request };
  });
  const { board, mayBeOn } = asked;
  if (!('request' in asked)) return { board, mayBeOn, power: 'unknown' };
  const answer = await agents.powers.answerTo(asked.request, { ms: answerMs, signal: call.signal });
  if (answer?.outcome !== 'done') throw failure(board, answer);
  return { board, mayBeOn, power: answer.power ?? 'unknown' };
};

function isHolder(lock: LockRecord | undefined, { caller }: Call, key: string): boolean {
  return lock?.state === 'held' && lock.user === caller.user && lock.key === key;
}

function checkPresent(state: State, board: string): void {
  if (state.boards.get(board)?.agent === 'present') return;
  throw new MqError('TRY_AGAIN', `The agent of ${board} is away; nothing was done. Try again.`);
}

function holderError(lock: LockRecord | undefined, { board, call }: { board: string; call: Call }): MqError {
  const details = { board };
  if (lock?.state !== 'held' || lock.user !== call.caller.user)
    return new MqError('NOT_HOLDER', notHolderText(board, lock && viewLock(lock)), { details });
  return new MqError('WRONG_KEY', otherKeyText(board, lock.key), { details });
}

function refusal(reply: Exclude<PowerReply, { kind: 'sent' }>, board: string, state: State): MqError {
  const lock = state.locks.get(board);
  const details = { board };
  switch (reply.kind) {
    case 'switching':
      return busyError(board);
    case 'agent-away':
      return new MqError('BOARD_BUSY', `The agent of ${board} is away just now.`, { details });
    case 'wrong-key':
      return new MqError('WRONG_KEY', otherKeyText(board, lock?.key ?? ''), { details });
    default:
      return new MqError('NOT_HOLDER', notHolderText(board, lock && viewLock(lock)), { details });
  }
}

function failure(board: string, answer: SwitchAnswer | undefined): MqError {
  const details = { board };
  if (answer?.outcome === 'refused') {
    return new MqError('BOARD_BUSY', `The power of ${board} was not touched: ${answer.detail}.`, { details });
  }
  const why = answer?.detail ?? `its agent has not answered in ${answerMs / 1000} s`;
  const what = answer?.outcome === 'failed' ? 'could not be switched' : 'may not have been switched';
  return new MqError('LAB_FAULT', `The power of ${board} ${what}: ${why.replace(/\.$/, '')}.`, { details });
}
