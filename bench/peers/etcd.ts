// etcd of Debian: one server with its own defaults (each change is synced to its log before it is answered), in a folder
// on the same disk as ours. Asked by `etcdctl lock`, a process for each lock, and by clients on a kept connection.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { makeFolder, root } from '../lab/lab.ts';
import type { Peer, PeerClient } from './contest.ts';
import { GrpcConnection } from './grpc.ts';
import { endProcess, HoldingProcess } from './processes.ts';

export interface EtcdServer {
  readonly address: string;
  readonly version: string;
  close(): Promise<void>;
}

const leaseSeconds = 600n;
const startMsMax = 30_000;
const grantLease = '/etcdserverpb.Lease/LeaseGrant';
const lock = '/v3lockpb.Lock/Lock';
const unlock = '/v3lockpb.Lock/Unlock';

/** The program's path: installed, or where `npm run setup:debian` has put it. */
export function findEtcd(name: 'etcd' | 'etcdctl'): string | undefined {
  const folders = [join(root, '.tools'), ...(process.env.PATH ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

export async function startEtcd(program: string): Promise<EtcdServer> {
  const folder = await makeFolder('etcd');
  const [address, peerAddress] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const urls = {
    '--data-dir': join(folder, 'data'),
    '--listen-client-urls': `http://${address}`,
    '--advertise-client-urls': `http://${address}`,
    '--listen-peer-urls': `http://${peerAddress}`,
    '--initial-advertise-peer-urls': `http://${peerAddress}`,
    '--initial-cluster': `default=http://${peerAddress}`,
  };
  const server = spawn(program, Object.entries(urls).flat(), { cwd: folder, stdio: 'ignore' });
  const close = async () => {
    await endProcess(server);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await isReady(address);
  } catch (error) {
    await close();
    throw error;
  }
  const told = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout;
  return { address, version: /Version: (\S+)/.exec(told)?.[1] ?? 'unknown', close };
}

/** Clients that keep one connection and one lease each, as its client libraries do. */
export function keptEtcd(server: EtcdServer): Peer {
  return {
    name: 'etcd, kept connection',
    arriveEveryMs: 8,
    open: () => openKept(server.address),
    close: () => Promise.resolve(),
  };
}

export function etcdctl(server: EtcdServer, program: string): Peer {
  const words = (board: string) => ['--endpoints', server.address, 'lock', board];
  const env = { ...process.env, ETCDCTL_API: '3' };
  const client: PeerClient = {
    acquire: async (board) => {
      const holder = await HoldingProcess.start(program, words(board), env);
      return { release: () => holder.end() };
    },
    close: () => undefined,
  };
  return {
    name: 'etcdctl lock, a process each',
    arriveEveryMs: 80,
    open: () => Promise.resolve(client),
    close: () => Promise.resolve(),
  };
}

async function openKept(address: string): Promise<PeerClient> {
  const connection = await GrpcConnection.open(address);
  const granted = await connection.call(grantLease, [[1, leaseSeconds]]);
  const lease = granted.get(2);
  if (typeof lease !== 'bigint') throw new Error('etcd granted no lease');
  const acquire = async (board: string) => {
    const locked = await connection.call(lock, [
      [1, Buffer.from(board)],
      [2, lease],
    ]);
    const key = locked.get(2);
    if (!Buffer.isBuffer(key)) throw new Error('etcd named no key');
    return { release: async () => void (await connection.call(unlock, [[1, key]])) };
  };
  return { acquire, close: () => connection.close() };
}

async function isReady(address: string): Promise<void> {
  for (const endAt = performance.now() + startMsMax; ; ) {
    const answer = await fetch(`http://${address}/health`).catch(() => undefined);
    if (answer?.ok) return;
    if (performance.now() > endAt) throw new Error(`etcd does not answer on ${address}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('there is no port');
  return address.port;
}
