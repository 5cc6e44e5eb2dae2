// `npm run bench -- --peers`: ours beside lockfile(1) of procmail and etcd, with the same work, in one run. What is not
// installed is left out, and the run says how to get it.
import { startLab } from './lab/lab.ts';
import { MachineLimits } from './lab/limits.ts';
import {
  type HandOver,
  handOverFigures,
  measureHandOvers,
  measurePairs,
  type PairFigures,
  type Peer,
} from './peers/contest.ts';
import { etcdctl, findEtcd, keptEtcd, startEtcd } from './peers/etcd.ts';
import { lockfileVersion, startLockfile } from './peers/lockfile.ts';
import { keptOurs, mqLock } from './peers/ours.ts';
import { type PeerFigures, type PeersResult, ratiosOf } from './peers/table.ts';
import { median } from './statistics.ts';

export interface PeersOptions {
  readonly counts: readonly number[];
  /** Rounds of clients on kept connections, which take turns; processes have one round. */
  readonly rounds: number;
  readonly secondsOfPairs: number;
  /** Queues of one round at most; of `lockfile` all of them go on at once. */
  readonly queuesMax: (waiting: number) => number;
  /** False: only the kept connections, which are fast. */
  readonly withProcesses: boolean;
}

/** Boards that the clients of the largest count have one each of. */
export async function run(options: PeersOptions, say: (text: string) => void): Promise<PeersResult> {
  const closers: (() => Promise<void>)[] = [];
  const limits = await MachineLimits.start();
  closers.push(() => limits.stop());
  try {
    const lab = await startLab({ boards: Math.max(...options.counts) });
    closers.push(lab.close);
    const [fast, slow]: [Peer[], Peer[]] = [[keptOurs(lab)], [mqLock(lab)]];
    const versions: Record<string, string> = {};
    const absent: string[] = [];
    const [server, client] = [findEtcd('etcd'), findEtcd('etcdctl')];
    if (server && client) {
      const etcd = await startEtcd(server);
      closers.push(etcd.close);
      versions.etcd = etcd.version;
      fast.push(keptEtcd(etcd));
      slow.push(etcdctl(etcd, client));
    } else absent.push('etcd is not there: `npm run setup:debian` brings etcd and etcdctl');
    const procmail = lockfileVersion();
    if (procmail !== undefined) {
      versions.procmail = procmail;
      slow.push(await startLockfile());
    } else absent.push('lockfile is not there: `npm run setup:debian` installs procmail');
    for (const peer of [...fast, ...slow]) closers.push(peer.close);
    for (const text of absent) say(text);
    const machine = await measureLimits(limits);
    const peers = [...(await compare(fast, options, say))];
    if (options.withProcesses) {
      for (const peer of slow) peers.push(...(await compare([peer], { ...options, rounds: 1 }, say)));
    }
    return { peers, versions, ...machine, ratios: ratiosOf(peers), absent };
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** Each load on each peer in turn, round by round. */
async function compare(
  peers: readonly Peer[],
  { counts, rounds, secondsOfPairs, queuesMax }: PeersOptions,
  say: (text: string) => void,
): Promise<PeerFigures[]> {
  const found = peers.map((peer) => ({
    name: peer.name,
    pairs: counts.map((): PairFigures[] => []),
    handOvers: counts.map((): HandOver[] => []),
  }));
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, count] of counts.entries()) {
      for (const [which, peer] of peers.entries()) {
        found[which]?.pairs[at]?.push(await measurePairs(peer, count, secondsOfPairs));
        const queues = { queuesMax: queuesMax(count) };
        found[which]?.handOvers[at]?.push(...(await measureHandOvers(peer, count, queues)));
      }
    }
  }
  const figures = found.map(({ name, pairs, handOvers }): PeerFigures => {
    return {
      name,
      pairs: pairs.map(ofAllRounds),
      handOvers: handOvers.map((all, at) => handOverFigures(counts[at] ?? 0, all)),
    };
  });
  for (const one of figures) for (const line of asLines(one)) say(line);
  return figures;
}

function ofAllRounds(rounds: readonly PairFigures[]): PairFigures {
  return {
    clients: rounds[0]?.clients ?? 0,
    pairsPerSecond: median(rounds.map((round) => round.pairsPerSecond)),
    clientMicroseconds: median(rounds.map((round) => round.clientMicroseconds)),
  };
}

function asLines({ name, pairs, handOvers }: PeerFigures): string[] {
  return [
    ...pairs.map(({ clients, pairsPerSecond }) => {
      return `${name}: ${clients} clients, ${pairsPerSecond.toFixed(1)} pairs/s`;
    }),
    ...handOvers.map(({ waiting, medianMs, p99Ms, inOrder, handOvers: count }) => {
      const times = `${medianMs.toFixed(2)} ms (p99 ${p99Ms.toFixed(2)} ms)`;
      return `${name}: ${waiting} waiting, hand-over ${times}, ${inOrder} of ${count} in order`;
    }),
  ];
}

async function measureLimits(limits: MachineLimits): Promise<{ syncMs: number; roundTripMs: number }> {
  const [syncs, trips]: [number[], number[]] = [[], []];
  for (let left = 200; left > 0; left -= 1) {
    syncs.push(limits.sync());
    trips.push(await limits.roundTrip());
  }
  return { syncMs: median(syncs), roundTripMs: median(trips) };
}
