// Operations on the lab as a whole: who am I, what is there, how does it stand, boards in and out of service, images.

import type { State } from '../../domain/state.ts';
import { protocolVersion } from '../../protocol/channel.ts';
import { MqError } from '../../protocol/errors.ts';
import { viewBoard } from '../views.ts';
import { checkAdmin, type Handler, identify, resolveTarget } from './call.ts';

export const hello: Handler<'hello'> = async (call, body) => {
  if (body.protocol !== undefined && body.protocol !== protocolVersion) {
    const message = `This server speaks protocol ${protocolVersion}, the client ${body.protocol}. Use the mq of version ${call.lab.version}.`;
    throw new MqError('PROTOCOL_MISMATCH', message);
  }
  const { user, admin } = call.caller;
  return { protocol: protocolVersion, version: call.lab.version, lab: call.lab.config.name, user, admin };
};

/** Without the machines: how a board is driven is the lab's affair. */
export const lab: Handler<'lab'> = async (call) => {
  const { name, pools } = call.lab.config;
  const boards = call.lab.config.boards.map(({ machine: _machine, ...board }) => board);
  return { lab: { name, boards, pools } };
};

export const status: Handler<'status'> = (call) => call.lab.watches.status();

export const watchStatus: Handler<'watch-status'> = async (call) => {
  if (!call.session)
    throw new MqError('BAD_REQUEST', 'Only a channel can watch; over HTTP ask /v1/status again.');
  call.session.watchesStatus = true;
  return call.lab.watches.status();
};

/** All of the boards, or none. */
export const board: Handler<'board'> = async (call, body) => {
  const { core, extras } = call.lab;
  const { action, note = '', seconds } = body;
  checkAdmin(call, `${action} boards`);
  if (seconds !== undefined && action !== 'drain')
    throw new MqError('BAD_REQUEST', 'Only a board that is drained comes back after a time.');
  const earlier = await core.recall<string[]>(identify(call, 'board', body));
  const names = earlier?.answer ?? (await core.read((state) => boardsOf(state, body.targets)));
  const command = {
    name: 'service' as const,
    body: { caller: call.caller, boards: names, action, note, ...(seconds === undefined ? {} : { seconds }) },
  };
  await core.answer(command, identify(call, 'board', body), (reply) => {
    if (reply.kind === 'unknown') throw new MqError('UNKNOWN_TARGET', `${reply.board} has left the lab.`);
    return names;
  });
  return core.read((state) => ({
    boards: names.flatMap((name) => {
      const record = state.boards.get(name);
      const pools = state.lab.pools.filter((pool) => pool.boards.includes(name)).map((pool) => pool.name);
      return record ? [viewBoard(state, record, { pools, extras })] : [];
    }),
    gone: names.filter((name) => !state.boards.has(name)),
  }));
};

/** Those that have left the configuration too, by their own names. */
function boardsOf(state: State, targets: readonly string[]): string[] {
  const names = targets.flatMap((target) => {
    if (state.boards.get(target)?.removed) return [target];
    const members = state.labIndex.members(resolveTarget(state, target));
    if (members.length === 0)
      throw new MqError('NO_BOARD_FITS', `No board matches ${target} now; nothing was changed.`);
    return members;
  });
  return [...new Set(names)];
}

/** Answers when the configuration is the lab's, or has turned out to be wrong. */
export const reload: Handler<'reload'> = async (call) => {
  checkAdmin(call, 'load the configuration again');
  return call.lab.reloader.reload(call.caller.user);
};

export const images: Handler<'images'> = async (call, body) => ({
  missing: await call.lab.images.missing(body.hashes),
});
