// Judges the demonstration by what the public command line says of it, and by nothing else.
import type { Mq } from './mq.ts';
import { heldBoard, type Seen, wishes } from './story.ts';

/** What `mq jobs --json` says of a job; times in milliseconds since 1970. */
interface JobLine {
  readonly id: number;
  readonly key: string;
  readonly state: string;
  readonly target: string;
  readonly board: string;
  readonly verdict?: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface Judgement {
  /** What is not as it must be; empty: all is right. */
  readonly faults: readonly string[];
  readonly jobs: readonly JobLine[];
  /** Milliseconds from the end of a job to the start of the next one on its board. */
  readonly handOversMs: readonly number[];
}

const pools = { north: ['pc1', 'pc2'], south: ['pc2', 'pc3'] };

export async function judge(mq: Mq, seen: Seen, signal: AbortSignal): Promise<Judgement> {
  const text = (await mq.lines(['jobs', '--json', '--limit', '100'], signal)).join('\n');
  const jobs = (JSON.parse(text) as JobLine[]).toSorted((a, b) => a.id - b.id);
  const locked = await mq.lines(['sem', 'dumpall'], signal);
  const handOversMs = gaps(jobs);
  const faults = [
    ...wishes.flatMap((wish) => wishFaults(wish, jobs, seen)),
    ...(jobs.length === wishes.length ? [] : [`${jobs.length} jobs are listed instead of ${wishes.length}`]),
    ...(handOversMs.every((gap) => gap >= 0) ? [] : ['two jobs overlap on one board']),
    ...Object.keys(pools).flatMap((pool) => orderFaults(pool, jobs)),
    ...(seen.places.size > 0 ? [] : ['nobody had to wait']),
    ...(seen.heldBefore === seen.heldAfter ? [] : [`${heldBoard} was not Ana's all the while`]),
    ...(locked.length === 0 ? [] : [`these locks are left: ${locked.join(', ')}`]),
  ];
  return { faults, jobs, handOversMs };
}

function wishFaults(wish: (typeof wishes)[number], jobs: readonly JobLine[], seen: Seen): string[] {
  const job = jobs.find(({ key }) => key === wish.who.toLowerCase());
  if (!job) return [`${wish.who}'s job is not listed`];
  const faults: string[] = [];
  if (job.state !== 'ended' || job.verdict !== wish.verdict)
    faults.push(`${wish.who}'s job is ${job.state} ${job.verdict ?? ''} instead of ended ${wish.verdict}`);
  if (!pools[wish.pool].includes(job.board) || job.board === heldBoard)
    faults.push(`${wish.who}'s job ran on ${job.board}`);
  const code = seen.exitCodes.get(wish.who);
  const isAsMeant = wish.verdict === 'completed' ? code === 0 : code === 1;
  if (!isAsMeant) faults.push(`${wish.who}'s command ended with ${code}`);
  return faults;
}

/** In each pool, first come was first served. */
function orderFaults(pool: string, jobs: readonly JobLine[]): string[] {
  const starts = jobs.filter(({ target }) => target === pool).map(({ startedAt }) => startedAt);
  const isInOrder = starts.every((at, index) => index === 0 || at >= (starts[index - 1] ?? 0));
  return isInOrder ? [] : [`the jobs of ${pool} did not start in the order of their arrival`];
}

function gaps(jobs: readonly JobLine[]): number[] {
  const boards = new Set(jobs.map(({ board }) => board));
  return [...boards].flatMap((board) => {
    const own = jobs.filter((job) => job.board === board).toSorted((a, b) => a.startedAt - b.startedAt);
    return own.slice(1).map((job, index) => job.startedAt - (own[index]?.endedAt ?? 0));
  });
}
