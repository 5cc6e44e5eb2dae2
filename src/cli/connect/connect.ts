// Connects a command to the server that it is meant for.
import { type Client, type ClientOptions, connectClient } from '../../client/client.ts';
import type { OpenLink, Timers } from '../../client/link.ts';
import { systemClock } from '../../platform/clock.ts';
import { escapeText } from '../terminal/escape.ts';
import { findServer, type ServerAddress } from './address.ts';
import { openUnix } from './open-unix.ts';
import { unreachable } from './unreachable.ts';

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
      openLink: await openerOf(address),
      timers,
      newRequestId,
      // `mq connect` itself waits for a server; what ssh refuses once it would refuse again.
      firstSeconds: address.kind === 'ssh' ? 0 : firstSeconds,
      ...more,
    });
  } catch (error) {
    throw unreachable(error, address);
  }
}

async function openerOf(address: ServerAddress): Promise<OpenLink> {
  if (address.kind === 'unix') return openUnix(address.path);
  if (address.kind === 'tcp') {
    const { openTcp } = await import('./open-tcp.ts');
    return openTcp(address, process.env);
  }
  const { openSsh } = await import('./open-ssh.ts');
  const { stderr } = process;
  const complain = (line: string) => stderr.write(`${stderr.isTTY ? '\r\u001b[K' : ''}${escapeText(line)}\n`);
  return openSsh(address, { remote: process.env.MQ_REMOTE || undefined, complain });
}

async function requestIds(): Promise<() => string> {
  const { IdSource } = await import('../../platform/ids.ts');
  const ids = new IdSource();
  return () => ids.next();
}

function noRequestId(): never {
  throw new Error('a command that only asks has sent a change');
}
