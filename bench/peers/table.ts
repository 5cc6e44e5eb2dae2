// The figures of `npm run bench -- --peers` as a page of Markdown. Pure.
import type { HandOverFigures, PairFigures } from './contest.ts';

export interface PeerFigures {
  readonly name: string;
  readonly pairs: readonly PairFigures[];
  readonly handOvers: readonly HandOverFigures[];
}

export interface PeersResult {
  readonly peers: readonly PeerFigures[];
  /** What is compared, and its version. */
  readonly versions: Readonly<Record<string, string>>;
  /** Milliseconds of one 4 KB append and fdatasync on the disk that all of them were on. */
  readonly syncMs: number;
  /** Milliseconds of 200 bytes to another Node process and back. */
  readonly roundTripMs: number;
  readonly ratios: readonly Ratio[];
  /** Peers that are not there, and how to get them. */
  readonly absent: readonly string[];
}

export interface Ratio {
  readonly what: string;
  readonly times: number;
  readonly goal?: number;
}

export const kept = { ours: 'mq, kept connection', etcd: 'etcd, kept connection' } as const;
export const processes = {
  ours: 'mq lock, a process each',
  etcd: 'etcdctl lock, a process each',
  lockfile: 'lockfile, a process each',
} as const;

/** Where both of a ratio were measured: how many times better the first is, and the goal where there is one. */
export function ratiosOf(peers: readonly PeerFigures[]): Ratio[] {
  const find = (name: string) => peers.find((peer) => peer.name === name);
  const ratios: (Ratio | undefined)[] = [];
  const [ours, etcd] = [find(kept.ours), find(kept.etcd)];
  for (const { waiting } of ours?.handOvers ?? []) {
    const line = `hand-over, ${waiting} waiting`;
    const mine = handOver(ours, waiting);
    const theirs = handOver(etcd, waiting);
    const lockfile = handOver(find(processes.lockfile), waiting);
    const goal = waiting === 1 ? 2000 : undefined;
    ratios.push(ratio(`${line}: mq is faster than lockfile`, lockfile?.medianMs, mine?.medianMs, goal));
    ratios.push(ratio(`${line}: mq is faster than etcd`, theirs?.medianMs, mine?.medianMs, 1));
    ratios.push(ratio(`${line}: mq tells the next before etcd does`, theirs?.medianMs, mine?.toldMedianMs));
  }
  for (const { clients } of ours?.pairs ?? []) {
    const goal = clients === 64 ? 1 : undefined;
    const [mine, theirs] = [pairs(ours, clients), pairs(etcd, clients)];
    ratios.push(ratio(`pairs a second, ${clients} clients: mq beside etcd`, mine, theirs, goal));
  }
  return ratios.flatMap((one) => one ?? []);
}

export function asMarkdown(result: PeersResult, machine: string): string {
  return [
    '# Beside other locks',
    '',
    'Made by `npm run bench -- --peers`: everything in one run, on one machine and one disk, in turns. What it means',
    'stands in `docs/performance.md`.',
    '',
    `- ${machine}`,
    `- ${Object.entries(result.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    `- a 4 KB append with fdatasync: ${result.syncMs.toFixed(2)} ms; 200 bytes to another process and back: ${result.roundTripMs.toFixed(2)} ms (medians)`,
    ...result.absent.map((text) => `- ${text}`),
    '',
    '## Hand-over of one board',
    '',
    'From the call that releases until the next holder knows that the board is its own.',
    '',
    '| | waiting | median | 99 % | told, median | in order | hand-overs |',
    '|---|---|---|---|---|---|---|',
    ...result.peers.flatMap(({ name, handOvers }) => handOvers.map((one) => handOverRow(name, one))),
    '',
    '## Pairs of acquire and release, each client with a board of its own',
    '',
    '| | clients | pairs/s | client, µs a pair |',
    '|---|---|---|---|',
    ...result.peers.flatMap(({ name, pairs }) => pairs.map((one) => pairRow(name, one))),
    '',
    '## Ratios',
    '',
    '| | times | goal |',
    '|---|---|---|',
    ...result.ratios.map(
      ({ what, times, goal }) =>
        `| ${what} | ${asTimes(times)} | ${goal === undefined ? '' : asTimes(goal)} |`,
    ),
    '',
  ].join('\n');
}

function handOverRow(
  name: string,
  { waiting, medianMs, p99Ms, toldMedianMs, inOrder, handOvers }: HandOverFigures,
): string {
  const told = toldMedianMs === undefined ? '' : asMs(toldMedianMs);
  const order = `${((inOrder / handOvers) * 100).toFixed(0)} %`;
  return `| ${name} | ${waiting} | ${asMs(medianMs)} | ${asMs(p99Ms)} | ${told} | ${order} | ${handOvers} |`;
}

function pairRow(name: string, { clients, pairsPerSecond, clientMicroseconds }: PairFigures): string {
  const speed = pairsPerSecond.toFixed(pairsPerSecond < 100 ? 1 : 0);
  return `| ${name} | ${clients} | ${speed} | ${clientMicroseconds.toFixed(0)} |`;
}

function asMs(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
}

function asTimes(value: number): string {
  return value.toFixed(value < 100 ? 2 : 0);
}

function ratio(
  what: string,
  over: number | undefined,
  under: number | undefined,
  goal?: number,
): Ratio | undefined {
  if (over === undefined || under === undefined) return undefined;
  return { what, times: over / under, ...(goal === undefined ? {} : { goal }) };
}

function handOver(peer: PeerFigures | undefined, waiting: number): HandOverFigures | undefined {
  return peer?.handOvers.find((one) => one.waiting === waiting);
}

function pairs(peer: PeerFigures | undefined, clients: number): number | undefined {
  return peer?.pairs.find((one) => one.clients === clients)?.pairsPerSecond;
}
