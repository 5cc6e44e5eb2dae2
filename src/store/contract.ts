// What the server needs of a store. The scheduler's records live in memory; a store keeps them durable, keeps the
// rules that a single row can keep, and answers for what memory has forgotten (ended jobs, old answers, audit).
//
// The server is the only writer, with at most one commit under way. Implementations: sqlite/.
import type { AuditEvent } from '../domain/commands.ts';
import type { Change, JobRecord, TicketRecord } from '../domain/records.ts';

/** A stored answer: the same request id again gets it instead of being carried out. */
export interface StoredAnswer {
  readonly requestId: string;
  readonly caller: string;
  /** Digest of operation and body: the same id with another body is refused. */
  readonly digest: string;
  /** JSON. */
  readonly answer: string;
}

export interface Batch {
  /** In order; the store writes only what is left of each record at the end. */
  readonly changes: readonly Change[];
  readonly audit: readonly AuditEvent[];
  readonly answers: readonly StoredAnswer[];
  /** Scheduler time of the batch's last step, and the wall clock at the commit. Milliseconds. */
  readonly now: number;
  readonly wallAt: number;
}

export type CommitOutcome =
  | { readonly kind: 'committed' }
  /** Nothing of it is stored, and a later try may work: disk full, busy. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Nothing of it is stored: it breaks a rule of the store. A programmer error somewhere. */
  | { readonly kind: 'rejected'; readonly message: string }
  /** It may be stored or not. The process must end, and the next start reads the truth. */
  | { readonly kind: 'unknown'; readonly message: string };

/** What a start begins with: every live record as a put, in an order that can be applied. */
export interface Loaded {
  readonly changes: readonly Change[];
  /** Scheduler time of the last commit; 0 in a new store. */
  readonly now: number;
  readonly answers: readonly StoredAnswer[];
}

export interface AuditRow extends AuditEvent {
  readonly id: number;
  readonly wallAt: number;
}

/** A job as the store has it. */
export interface StoredJob extends JobRecord {
  /** Its console was removed before it: when. */
  readonly logGoneWallAt?: number;
}

/** Wall-clock instants: what is older goes. */
export interface PruneBefore {
  readonly answersAt: number;
  /** Tickets and jobs count from their end. */
  readonly ticketsAt: number;
  readonly jobsAt: number;
  readonly auditAt: number;
}

export interface Store {
  load(): Promise<Loaded>;
  /** Never rejects: a failure is an outcome. */
  commit(batch: Batch): Promise<CommitOutcome>;
  /** For a request id that a client says it repeats and memory has forgotten. */
  findAnswer(requestId: string): Promise<StoredAnswer | undefined>;
  findTicket(id: number): Promise<TicketRecord | undefined>;
  findJob(id: number): Promise<StoredJob | undefined>;
  /** Newest first; only jobs that have started. */
  listJobs(filter: { readonly user?: string; readonly limit: number }): Promise<StoredJob[]>;
  /** Newest first. */
  listAudit(filter: {
    readonly board?: string;
    readonly ticket?: number;
    readonly limit: number;
  }): Promise<AuditRow[]>;
  /**
   * Forgets what is older, a bounded number of rows each call; whether more may be left. A job whose console has not
   * been dropped stays.
   */
  prune(before: PruneBefore): Promise<boolean>;
  /** Jobs that ended before this wall-clock instant and whose console is kept; the one that ended first comes first. */
  listLogs(filter: {
    readonly endedBefore: number;
    readonly limit: number;
  }): Promise<{ readonly job: number; readonly endedWallAt: number }[]>;
  /** Which of these are jobs, live or ended, whose console is kept. */
  findLogs(jobs: readonly number[]): Promise<number[]>;
  /** The consoles of these ended jobs have been removed. */
  dropLogs(jobs: readonly number[], wallAt: number): Promise<void>;
  close(): Promise<void>;
}

/** A store that can't be opened: damaged, newer than this program, in use. The message says what to do. */
export class StoreError extends Error {
  readonly code: 'STORE_DAMAGED' | 'STORE_NEWER' | 'STORE_IN_USE' | 'STORE_UNUSABLE';

  constructor(code: StoreError['code'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
