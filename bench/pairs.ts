// Pairs per second: submit, confirm, release, each answered when it is on disk. The real server with few and with
// many boards, and the stub (stub-server.ts) with as many, are all up at once and measured in turns, so that
// whatever else the machine does falls on all of them alike.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BenchChannel, Offers } from './lab/channel.ts';
import { makeFolder, startLab } from './lab/lab.ts';
import { median } from './statistics.ts';

export interface PairFigures {
  readonly boards: number;
  readonly clients: number;
  readonly pairsPerSecond: number;
  readonly stubPairsPerSecond: number;
  /** Median over the rounds of real ÷ stub in the same round. Goal: at least 0.5. */
  readonly ratio: number;
}

export interface PairsResult {
  readonly figures: readonly PairFigures[];
  /** How many times slower with most boards than with fewest, for each number of clients. Goal: at most 1.5. */
  readonly slower: readonly { readonly clients: number; readonly times: number }[];
}

interface Server {
  readonly boards: number;
  readonly isStub: boolean;
  readonly socketPath: string;
  close(): Promise<void>;
}

export async function run(options: {
  boards: readonly number[];
  clients: readonly number[];
  rounds: number;
  seconds: number;
}): Promise<PairsResult> {
  const servers: Server[] = [];
  try {
    for (const boards of options.boards) {
      servers.push({ boards, isStub: false, ...(await startLab({ boards })) });
      servers.push({ boards, isStub: true, ...(await startStub(boards)) });
    }
    const results: PairFigures[] = [];
    const slower: { clients: number; times: number }[] = [];
    for (const clients of options.clients) {
      const rounds = await measure(servers, clients, options);
      results.push(...options.boards.map((boards) => asFigures(servers, rounds, { boards, clients })));
      const [few, many] = [at(servers, options.boards[0]), at(servers, options.boards.at(-1))];
      slower.push({ clients, times: median(rounds.map((round) => (round[few] ?? 0) / (round[many] ?? 0))) });
    }
    return { figures: results, slower };
  } finally {
    for (const server of servers) await server.close();
  }
}

/** For each round, the pairs per second of each server. A round before them warms up. */
async function measure(
  servers: readonly Server[],
  clients: number,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<number[][]> {
  const results: number[][] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const speeds: number[] = [];
    for (const { socketPath } of servers) speeds.push(await pairsPerSecond(socketPath, clients, seconds));
    results.push(speeds);
  }
  return results.slice(1);
}

function at(servers: readonly Server[], boards: number | undefined, isStub = false): number {
  return servers.findIndex((server) => server.boards === boards && server.isStub === isStub);
}

function asFigures(
  servers: readonly Server[],
  rounds: readonly number[][],
  { boards, clients }: { boards: number; clients: number },
): PairFigures {
  const [real, stub] = [at(servers, boards), at(servers, boards, true)];
  return {
    boards,
    clients,
    pairsPerSecond: median(rounds.map((round) => round[real] ?? 0)),
    stubPairsPerSecond: median(rounds.map((round) => round[stub] ?? 0)),
    ratio: median(rounds.map((round) => (round[real] ?? 0) / (round[stub] ?? 0))),
  };
}

async function pairsPerSecond(socketPath: string, clients: number, seconds: number): Promise<number> {
  const channels = await Promise.all(Array.from({ length: clients }, () => BenchChannel.open(socketPath)));
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1000;
  const counts = await Promise.all(channels.map((channel, client) => takePairs(channel, client, endAt)));
  const tookSeconds = (performance.now() - startedAt) / 1000;
  for (const channel of channels) channel.close();
  return counts.reduce((sum, count) => sum + count, 0) / tookSeconds;
}

async function takePairs(channel: BenchChannel, client: number, endAt: number): Promise<number> {
  const offers = new Offers(channel);
  const key = `key-${client}`;
  let count = 0;
  while (performance.now() < endAt) {
    const wish = { target: 'pool', kind: 'lock', key, set: key, members: false } as const;
    const { ticket, view } = await channel.change('submit', wish);
    const { board, token } = await offers.of(ticket, view);
    await channel.change('confirm', { ticket, token });
    await channel.change('release', { target: board, key });
    count += 1;
  }
  return count;
}

async function startStub(boards: number): Promise<Pick<Server, 'socketPath' | 'close'>> {
  const folder = await makeFolder('stub');
  const socketPath = join(folder, 's');
  const script = join(import.meta.dirname, 'stub-server.ts');
  const words = ['--no-warnings', script, socketPath, join(folder, 'db'), String(boards)];
  const stub = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(stub, 'exit');
  await Promise.race([once(stub.stdout, 'data'), ended]);
  if (stub.exitCode !== null) throw new Error('the stub did not start');
  const close = async () => {
    stub.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  return { socketPath, close };
}
