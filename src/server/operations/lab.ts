// Operations on the lab as a whole: who am I, what is there, how does it stand, boards in and out of service, images.

import { protocolVersion } from '../../protocol/channel.ts';
import { MqError } from '../../protocol/errors.ts';
import { viewBoard } from '../views.ts';
import { type Handler, identify, resolveBoard } from './call.ts';

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

export const board: Handler<'board'> = async (call, body) => {
  const { core, extras } = call.lab;
  const name = await core.read((state) => resolveBoard(state, body.board));
  const command = {
    name: 'service' as const,
    body: { caller: call.caller, board: name, action: body.action, note: body.note ?? '' },
  };
  const { kind } = await core.answer(command, identify(call, 'board', body), (reply) => reply);
  if (kind === 'not-allowed') {
    throw new MqError(
      'NOT_ALLOWED',
      `Only an admin of the lab may ${body.action} a board. The configuration lists admins.`,
    );
  }
  return core.read((state) => {
    const record = state.boards.get(name);
    if (!record) throw new MqError('UNKNOWN_TARGET', `${name} has left the lab.`);
    const pools = state.lab.pools.filter((pool) => pool.boards.includes(name)).map((pool) => pool.name);
    return { board: viewBoard(state, record, { pools, extras }) };
  });
};

export const images: Handler<'images'> = async (call, body) => ({
  missing: await call.lab.images.missing(body.hashes),
});
