// What every lock service beside ours is asked to do, in the same way: pairs of acquire and release with a board for
// each client, and hand-overs of one board that everybody wants.
import { setTimeout as pause } from 'node:timers/promises';
import { median, percentile } from '../statistics.ts';

/** A service that is up, with as many clients as are opened. */
export interface Peer {
  readonly name: string;
  /** A waiting client that is not told looks again after so long. */
  readonly looksEveryMs?: number;
  /** From one arrival in a queue to the next, so that their order is beyond doubt. */
  readonly arriveEveryMs: number;
  open(): Promise<PeerClient>;
  close(): Promise<void>;
}

export interface PeerClient {
  /** Resolves when the board is this client's and it knows, with what releases it again. Rejects when it takes too long. */
  acquire(board: string): Promise<Held>;
  close(): void | Promise<void>;
}

export interface Held {
  /** Resolves when the service has acknowledged it. */
  readonly release: () => Promise<void>;
  /** Where the service tells a client first that it is next, and has the lock be its own by a second step: when. */
  readonly toldAt?: number;
}

export interface PairFigures {
  readonly clients: number;
  readonly pairsPerSecond: number;
  /** Processor time of the process in which all clients are, of a pair; child processes not counted. */
  readonly clientMicroseconds: number;
}

export interface HandOverFigures {
  readonly waiting: number;
  readonly handOvers: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Until the next holder was told, where that is an earlier moment. */
  readonly toldMedianMs?: number;
  /** Of the hand-overs, those that went to whoever had waited longest. */
  readonly inOrder: number;
}

/** Pairs of so many clients, each with a board of its own, after one pair that warms up. */
export async function measurePairs(peer: Peer, clients: number, seconds: number): Promise<PairFigures> {
  const open = await openAll(peer, clients);
  try {
    await Promise.all(open.map((client, at) => takePair(client, `board-${at}`)));
    const [startedAt, before] = [performance.now(), process.cpuUsage()];
    const endAt = startedAt + seconds * 1000;
    const counts = await Promise.all(open.map((client, at) => takePairs(client, `board-${at}`, endAt)));
    const tookSeconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(before);
    const pairs = counts.reduce((sum, count) => sum + count, 0);
    return { clients, pairsPerSecond: pairs / tookSeconds, clientMicroseconds: (user + system) / pairs };
  } finally {
    for (const client of open) await client.close();
  }
}

/** From the first arrival to the first release at least: who waits shall be known as waiting, in every service. */
const settleMs = 250;
/** Clients of a service that hands over at once, in all queues of a round together. */
const clientsOfRound = 16;

/**
 * One holder and so many who wait behind it; whoever gets the board releases it at once. A service whose waiting clients
 * look only now and then has them come at any moment of that time, and has all queues of the round go on at once, since
 * else it would take hours; all others have one hand-over at a time.
 */
export async function measureHandOvers(
  peer: Peer,
  waiting: number,
  options: { queuesMax: number },
): Promise<HandOver[]> {
  const isSlow = peer.looksEveryMs !== undefined;
  const queues = isSlow
    ? options.queuesMax
    : Math.min(options.queuesMax, Math.ceil(clientsOfRound / waiting));
  const open = await openAll(peer, queues * (waiting + 1));
  try {
    const lines = await Promise.all(
      Array.from({ length: queues }, (_, at) => {
        const clients = open.slice(at * (waiting + 1), (at + 1) * (waiting + 1));
        return queueUp(peer, clients, `board-${at}`);
      }),
    );
    if (isSlow) return (await Promise.all(lines.map((line) => handOverToEach(line, peer)))).flat();
    const found: HandOver[] = [];
    for (const line of lines) found.push(...(await handOverToEach(line, peer)));
    return found;
  } finally {
    for (const client of open) await client.close();
  }
}

export interface HandOver {
  readonly ms: number;
  readonly toldMs?: number;
  readonly isInOrder: boolean;
}

export function handOverFigures(waiting: number, found: readonly HandOver[]): HandOverFigures {
  const times = found.map(({ ms }) => ms);
  const told = found.flatMap(({ toldMs }) => toldMs ?? []);
  return {
    waiting,
    handOvers: found.length,
    medianMs: median(times),
    p99Ms: percentile(times, 0.99),
    ...(told.length > 0 ? { toldMedianMs: median(told) } : {}),
    inOrder: found.filter(({ isInOrder }) => isInOrder).length,
  };
}

/** Who holds a board, and who waits for it by their arrival. */
interface Line {
  readonly holder: Held;
  readonly waiting: Map<number, Promise<{ at: number; gotAt: number; held: Held }>>;
}

async function queueUp(peer: Peer, [first, ...others]: readonly PeerClient[], board: string): Promise<Line> {
  if (!first) throw new Error('a line needs a holder');
  const holder = await first.acquire(board);
  const waiting: Line['waiting'] = new Map();
  for (const [at, client] of others.entries()) {
    if (at > 0) await pause(arrivalMs(peer, others.length));
    const got = client.acquire(board).then((held) => ({ at, gotAt: performance.now(), held }));
    // Awaited when it is the next one's turn.
    got.catch(() => undefined);
    waiting.set(at, got);
  }
  await pause(settleMs);
  return { holder, waiting };
}

function arrivalMs({ arriveEveryMs, looksEveryMs = 0 }: Peer, count: number): number {
  return Math.max(arriveEveryMs, (Math.random() * 2 * looksEveryMs) / count);
}

/** Each hand-over is timed from the call that releases. */
async function handOverToEach({ holder, waiting }: Line, { looksEveryMs = 0 }: Peer): Promise<HandOver[]> {
  await pause(Math.random() * looksEveryMs);
  const found: HandOver[] = [];
  let held = holder;
  while (waiting.size > 0) {
    const [longest] = waiting.keys();
    const askedAt = performance.now();
    const released = held.release();
    const next = await Promise.race(waiting.values());
    waiting.delete(next.at);
    const { toldAt } = next.held;
    const told = toldAt === undefined ? {} : { toldMs: toldAt - askedAt };
    found.push({ ms: next.gotAt - askedAt, ...told, isInOrder: next.at === longest });
    await released;
    held = next.held;
  }
  await held.release();
  return found;
}

async function openAll(peer: Peer, count: number): Promise<PeerClient[]> {
  const open: PeerClient[] = [];
  for (let left = count; left > 0; left -= 1) open.push(await peer.open());
  return open;
}

async function takePairs(client: PeerClient, board: string, endAt: number): Promise<number> {
  let count = 0;
  while (performance.now() < endAt) {
    await takePair(client, board);
    count += 1;
  }
  return count;
}

async function takePair(client: PeerClient, board: string): Promise<void> {
  const { release } = await client.acquire(board);
  await release();
}
