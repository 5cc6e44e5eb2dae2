// What every operation gets to know about its caller, and what several of them share.
import { hash } from 'node:crypto';
import type { Caller } from '../../domain/commands.ts';
import type { SingleTarget } from '../../domain/records.ts';
import type { State } from '../../domain/state.ts';
import { MqError } from '../../protocol/errors.ts';
import type { OperationName, RequestOf, ResponseOf } from '../../protocol/operations.ts';
import type { RequestIdentity } from '../core.ts';
import type { LabServer } from '../lab-server.ts';
import type { Session } from '../sessions.ts';

export interface Call {
  readonly lab: LabServer;
  readonly caller: Caller;
  /** The caller's channel; plain HTTP has none. */
  readonly session: Session | undefined;
  /** The client says that it may have sent this request before. */
  readonly again: boolean;
  /** Ends when the caller is gone. */
  readonly signal: AbortSignal | undefined;
}

export type Handler<N extends OperationName> = (call: Call, body: RequestOf<N>) => Promise<ResponseOf<N>>;
export type Handlers = { [N in OperationName]: Handler<N> };

/** Names a request for the store of answers. */
export function identify(
  call: Call,
  op: OperationName,
  body: { requestId: string },
): RequestIdentity & { again: boolean } {
  const digest = hash('sha1', JSON.stringify([op, body]), 'base64');
  return { requestId: body.requestId, caller: call.caller.user, digest, again: call.again };
}

/**
 * The stored answer to a request that is repeated; else what `run` says, which looks at boards that may have left the lab
 * since.
 */
export async function answerOnce<N extends OperationName>(
  call: Call,
  op: N,
  body: { requestId: string },
  run: () => Promise<ResponseOf<N>>,
): Promise<ResponseOf<N>> {
  const earlier = await call.lab.core.recall<ResponseOf<N>>(identify(call, op, body));
  return earlier ? earlier.answer : run();
}

/** What the target's text means, or UNKNOWN_TARGET with all valid names. */
export function resolveTarget(state: State, text: string): SingleTarget {
  const parsed = state.labIndex.parseTarget(text);
  if (parsed.ok) return parsed.target;
  throw unknownTarget(state, parsed.unknown);
}

/** The board of this name or alias, or UNKNOWN_TARGET. */
export function resolveBoard(state: State, text: string): string {
  const board = state.labIndex.findBoard(text);
  if (!board) throw unknownTarget(state, text);
  return board.name;
}

/**
 * The boards of a target by the names under which they have their locks: one that the configuration has under another name
 * or not at all any more keeps its lock under the old one. Or UNKNOWN_TARGET.
 */
export function resolveLocked(
  state: State,
  text: string,
): { kind: 'board' | 'pool'; boards: readonly string[] } {
  if (state.boards.get(text)?.removed) return { kind: 'board', boards: [text] };
  const target = resolveTarget(state, text);
  const boards = state.labIndex.members(target).map((name) => state.lockOn(name)?.board ?? name);
  return { kind: target.kind === 'board' ? 'board' : 'pool', boards };
}

/** The same for one board. */
export function resolveLockedBoard(state: State, text: string): string {
  if (state.boards.get(text)?.removed) return text;
  const name = resolveBoard(state, text);
  return state.lockOn(name)?.board ?? name;
}

/** An admin only; throws NOT_ALLOWED with what it is that takes one. */
export function checkAdmin(call: Call, what: string): void {
  if (call.caller.admin) return;
  throw new MqError('NOT_ALLOWED', `Only an admin of the lab may ${what}. The configuration lists admins.`);
}

function unknownTarget(state: State, name: string): MqError {
  const boards = state.lab.boards.map((board) => board.name);
  const pools = state.lab.pools.map((pool) => pool.name);
  const message = `There is no board or pool '${name}'. \`mq systems\` lists them.`;
  return new MqError('UNKNOWN_TARGET', message, { details: { name, boards, pools } });
}
