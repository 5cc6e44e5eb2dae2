// Ours: the built program, its server with its agent. Asked by clients on a kept connection, and by `mq lock` and
// `mq unlock`, a process each.
import { join } from 'node:path';
import { BenchChannel, Offers } from '../lab/channel.ts';
import { type BenchLab, root } from '../lab/lab.ts';
import type { Peer, PeerClient } from './contest.ts';
import { runProcess } from './processes.ts';

export function keptOurs(lab: BenchLab): Peer {
  return {
    name: 'mq, kept connection',
    arriveEveryMs: 4,
    open: () => openKept(lab.socketPath),
    close: () => Promise.resolve(),
  };
}

let opened = 0;

/** "It knows": its confirm was answered, so that the lock is on disk as its own. */
async function openKept(socketPath: string): Promise<PeerClient> {
  const channel = await BenchChannel.open(socketPath);
  const offers = new Offers(channel);
  const key = `key-${opened++}`;
  const acquire = async (target: string) => {
    const { ticket, view } = await channel.change('submit', {
      ...{ target, kind: 'lock', key, set: key, members: false },
    });
    const { token } = await offers.of(ticket, view);
    const toldAt = performance.now();
    const { view: held } = await channel.change('confirm', { ticket, token });
    if (held.state !== 'held') throw new Error(`a confirm was answered ${held.state}`);
    return { toldAt, release: async () => void (await channel.change('release', { target, key })) };
  };
  return { acquire, close: () => channel.close() };
}

export function mqLock(lab: BenchLab): Peer {
  const env = { ...process.env, MQ_SERVER: `unix:${lab.socketPath}` };
  const program = join(root, 'bin/mq');
  const open = (): PeerClient => {
    const key = `key-${opened++}`;
    const acquire = async (board: string) => {
      await runProcess(program, ['lock', board, '--key', key], env);
      return { release: () => runProcess(program, ['unlock', board, '--key', key], env) };
    };
    return { acquire, close: () => undefined };
  };
  return {
    name: 'mq lock, a process each',
    arriveEveryMs: 250,
    open: () => Promise.resolve(open()),
    close: () => Promise.resolve(),
  };
}
