// Operations on locks: who has what, release, new ends and new holders.
import type { ChangeHolderReply } from '../../domain/commands.ts';
import { formatToken, parseToken, sameToken } from '../../domain/records.ts';
import { MqError } from '../../protocol/errors.ts';
import type { LockView } from '../../protocol/schema.ts';
import { viewLock, viewMember } from '../views.ts';
import { answerOnce, type Handler, identify, resolveLocked, resolveLockedBoard } from './call.ts';

export const info: Handler<'info'> = (call, body) =>
  call.lab.core.read((state) => {
    const { kind, boards } = resolveLocked(state, body.target);
    return { kind, members: boards.map((board) => viewMember({ board, lock: state.locks.get(board) })) };
  });

/** Of the boards of the configuration, then of those that have left it. */
export const locks: Handler<'locks'> = (call) =>
  call.lab.core.read((state) => {
    const leaving = [...state.boards.values()].filter((board) => board.removed);
    const members = [...state.lab.boards, ...leaving]
      .map(({ name }) => ({ board: name, lock: state.locks.get(name) }))
      .filter((member) => member.lock !== undefined);
    return { members: members.map(viewMember) };
  });

export const release: Handler<'release'> = (call, body) =>
  answerOnce(call, 'release', body, async () => {
    const { core } = call.lab;
    const meant = await core.read((state) =>
      [body.target, ...(body.also ?? [])].map((target) => ({
        target,
        boards: resolveLocked(state, target).boards,
      })),
    );
    const command = {
      name: 'release' as const,
      body: {
        caller: call.caller,
        boards: [...new Set(meant.flatMap(({ boards }) => boards))],
        key: body.key,
        force: body.force ?? false,
        note: body.note ?? '',
        ...(body.token === undefined ? {} : { token: parseToken(body.token) }),
      },
    };
    const targetsOf = (board: string) =>
      meant.filter(({ boards }) => boards.includes(board)).map(({ target }) => target);
    return core.answer(command, identify(call, 'release', body), ({ outcomes }) => ({
      outcomes: outcomes.map(({ board, outcome, token }) => ({
        board,
        outcome,
        ...(token ? { token: formatToken(token) } : {}),
        ...(body.also ? { targets: targetsOf(board) } : {}),
      })),
    }));
  });

/** Without a token: the lock that is there now. The token may be the lock's own, or that of its last job. */
export const awaitFree: Handler<'await-free'> = async (call, body) => {
  const { core, freeWaits } = call.lab;
  const find = () => core.read((state) => state.locks.get(resolveLockedBoard(state, body.board)));
  const lock = await find();
  const meant = body.token === undefined ? undefined : parseToken(body.token);
  if (!lock || (meant && !sameToken(lock.token, meant) && !sameToken(lock.lastToken, meant)))
    return { free: true };
  const wait = freeWaits.wait(lock.board, lock.token, { ms: body.seconds * 1000, signal: call.signal });
  const current = await find();
  const isOver = !current || !sameToken(current.token, lock.token);
  if (isOver) wait.cancel();
  return isOver ? { free: true } : wait.ended;
};

export const extend: Handler<'extend'> = (call, body) =>
  answerOnce(call, 'extend', body, async () => {
    const board = await call.lab.core.read((state) => resolveLockedBoard(state, body.board));
    const command = {
      name: 'extend' as const,
      body: { caller: call.caller, board, key: body.key, holdSeconds: body.holdSeconds },
    };
    return call.lab.core.answer(command, identify(call, 'extend', body), (reply) => asHolder(reply, board));
  });

export const give: Handler<'give'> = (call, body) =>
  answerOnce(call, 'give', body, async () => {
    const board = await call.lab.core.read((state) => resolveLockedBoard(state, body.board));
    const command = {
      name: 'give' as const,
      body: { caller: call.caller, board, key: body.key, user: body.user, newKey: body.newKey ?? '0' },
    };
    return call.lab.core.answer(command, identify(call, 'give', body), (reply) => asHolder(reply, board));
  });

export const steal: Handler<'steal'> = (call, body) =>
  answerOnce(call, 'steal', body, async () => {
    const board = await call.lab.core.read((state) => resolveLockedBoard(state, body.board));
    const command = {
      name: 'steal' as const,
      body: { caller: call.caller, board, newKey: body.newKey ?? '0', note: body.note ?? '' },
    };
    return call.lab.core.answer(command, identify(call, 'steal', body), (reply) => {
      if (reply.kind !== 'not-held') return asHolder(reply, board);
      const message = `Nobody holds ${board}, so there is nothing to take over. Lock it: mq lock ${board}.`;
      throw new MqError('NOT_HOLDER', message, { details: { board } });
    });
  });

function asHolder(reply: ChangeHolderReply, board: string): { lock: LockView } {
  switch (reply.kind) {
    case 'done':
      return { lock: viewLock(reply.lock) };
    case 'not-held':
      throw new MqError('NOT_HOLDER', `You do not hold ${board}.`, { details: { board } });
    case 'wrong-key':
      throw new MqError('WRONG_KEY', `You hold ${board} with another key.`, { details: { board } });
    case 'reclaimed':
      throw new MqError(
        'NOT_HOLDER',
        `The lock on ${board} is ending already; it can't be changed any more.`,
        { details: { board } },
      );
    case 'job-running':
      throw new MqError(
        'NOT_ALLOWED',
        `Job ${reply.lock?.job} runs on ${board}. Cancel it first: mq cancel ${reply.lock?.job}.`,
      );
    case 'switching':
      throw busyError(board);
    case 'not-allowed':
      throw new MqError('NOT_ALLOWED', notForcedText(board, reply.lock?.user));
    case 'from-file':
      throw new MqError(
        'NOT_ALLOWED',
        `${board} was locked by a lock file of the old scripts, which can only be released. Release it (mq unlock ${board}) and lock it anew.`,
        { details: { board } },
      );
  }
}

function notForcedText(board: string, holder = 'another'): string {
  return `${board} is held by ${holder}, and only an admin may take it from somebody. Ask ${holder} or an admin.`;
}

/** The holder's own switch of the power is under way. */
export function busyError(board: string): MqError {
  const message = `The power of ${board} is being switched. Try again when that is done.`;
  return new MqError('BOARD_BUSY', message, { details: { board } });
}
