// What is counted while the lab works: commits, tickets and jobs that end, refused tokens, and how late the event loop is.
// Cheap enough for every commit; nothing here looks at the state.
import type { Change, TicketRecord, Verdict } from '../../domain/records.ts';
import { Histogram } from './exposition.ts';

/** What became of a batch that the store was given. */
export interface BatchReport {
  readonly outcome: 'committed' | 'refused' | 'rejected' | 'unknown';
  readonly ms: number;
  readonly commands: number;
  readonly changes: readonly Change[];
  readonly wallAt: number;
}

const commitSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const commandCounts = [1, 2, 5, 10, 20, 50, 100, 200, 512];
const waitSeconds = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400];
const lagSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const lagEveryMs = 500;

type Outcome = NonNullable<TicketRecord['outcome']>['kind'];

export class Tally {
  readonly commitTime = new Histogram(commitSeconds);
  readonly commitSize = new Histogram(commandCounts);
  readonly failedCommits = { refused: 0, rejected: 0, unknown: 0 };
  /** By poolLabel. */
  readonly waits = new Map<string, Histogram>();
  readonly endedTickets = new Map<Outcome, number>();
  readonly endedJobs = new Map<Verdict, number>();
  readonly lag = new Histogram(lagSeconds);
  wrongTokens = 0;
  readonly #lagTimer: NodeJS.Timeout;

  constructor() {
    let dueAt = performance.now() + lagEveryMs;
    this.#lagTimer = setInterval(() => {
      const now = performance.now();
      this.lag.observe(Math.max(0, now - dueAt) / 1000);
      dueAt = now + lagEveryMs;
    }, lagEveryMs);
    this.#lagTimer.unref();
  }

  stop(): void {
    clearInterval(this.#lagTimer);
  }

  onBatch({ outcome, ms, commands, changes, wallAt }: BatchReport): void {
    this.commitTime.observe(ms / 1000);
    this.commitSize.observe(commands);
    if (outcome !== 'committed') {
      this.failedCommits[outcome] += 1;
      return;
    }
    for (const change of changes) {
      if (change.entity === 'ticket') this.#onTicket(change as Change<'ticket'>, wallAt);
      else if (change.entity === 'job') this.#onJob(change as Change<'job'>);
    }
  }

  /** A ticket gets its outcome once, and is not written again. */
  #onTicket({ after }: Change<'ticket'>, wallAt: number): void {
    if (!after?.outcome) return;
    const { kind } = after.outcome;
    this.endedTickets.set(kind, (this.endedTickets.get(kind) ?? 0) + 1);
    if (kind !== 'confirmed' && kind !== 'started') return;
    const label = poolLabel(after);
    let waits = this.waits.get(label);
    if (!waits) {
      waits = new Histogram(waitSeconds);
      this.waits.set(label, waits);
    }
    waits.observe(Math.max(0, wallAt - after.submittedWallAt) / 1000);
  }

  #onJob({ before, after }: Change<'job'>): void {
    if (!after?.result || before?.result) return;
    const { verdict } = after.result;
    this.endedJobs.set(verdict, (this.endedJobs.get(verdict) ?? 0) + 1);
  }
}

/** What is no pool has a name that no pool can have. */
export const otherTargets = ['(board)', '(boards)'] as const;

/** The pool that a ticket asks for. Only names of the configuration, since each makes a series of its own. */
export function poolLabel({ target }: Pick<TicketRecord, 'target'>): string {
  if (target.kind === 'pool') return target.name;
  return target.kind === 'board' ? '(board)' : '(boards)';
}
