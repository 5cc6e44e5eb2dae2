// Connects a command to the server that it is meant for.
import { type Client, type ClientOptions, connectClient } from '../../client/client.ts';
import type { Timers } from '../../client/link.ts';
import { systemClock } from '../../platform/clock.ts';
import { MqError } from '../../protocol/errors.ts';
import { findServer, formatAddress, type ServerAddress } from './address.ts';
import { openUnix } from './open-unix.ts';

/** A server that is just being restarted is worth a moment: its clients must not fail for it. */
const firstSeconds = 2;

const timers: Timers = { now: systemClock.nowMs, after: systemClock.setTimer };

export interface ConnectOptions extends Pick<ClientOptions, 'onLink' | 'reconnectSeconds'> {
  /** The command only asks; it needs no request ids, whose making takes a while to load. */
  readonly readsOnly?: boolean;
}

/**
 * @param option value of --server
 * Rejects with SERVER_UNREACHABLE, whose message says where was looked and how to start a server.
 */
export async function connectTo(
  option: string | undefined,
  { readsOnly = false, ...more }: ConnectOptions = {},
): Promise<Client> {
  const address = findServer({ option, env: process.env });
  const newRequestId = readsOnly ? noRequestId : await requestIds();
  try {
    return await connectClient({
      openLink: openUnix(address.path),
      timers,
      newRequestId,
      firstSeconds,
      ...more,
    });
  } catch (error) {
    throw explain(error, address);
  }
}

async function requestIds(): Promise<() => string> {
  const { IdSource } = await import('../../platform/ids.ts');
  const ids = new IdSource();
  return () => ids.next();
}

function noRequestId(): never {
  throw new Error('a command that only asks has sent a change');
}

function explain(error: unknown, address: ServerAddress): unknown {
  if (!(error instanceof MqError) || error.code !== 'SERVER_UNREACHABLE') return error;
  const place = `${formatAddress(address)} (from ${address.from})`;
  const cause = error.cause as { code?: unknown } | undefined;
  const why: Record<string, string> = {
    ENOENT: 'there is no such socket',
    ECONNREFUSED: 'nothing listens on that socket',
    EACCES: 'this user may not open that socket',
  };
  const what = why[String(cause?.code)] ?? error.message;
  return new MqError(
    'SERVER_UNREACHABLE',
    `No mq server answers at ${place}: ${what}. Say where it is with --server unix:PATH or MQ_SERVER, or start it with 'mq server'.`,
    { cause: error },
  );
}
