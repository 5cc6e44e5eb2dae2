// A store in memory that keeps the rules of the contract, for tests and simulations: what it was told is there for the
// next `open`, as after a crash, and each record is stored as text, as a database would.
import type { EntityName, JobRecord, LockRecord, TicketRecord } from '../domain/records.ts';
import { formatToken } from '../domain/records.ts';
import { coalesce, type NetChange } from '../store/coalesce.ts';
import type {
  AuditRow,
  Batch,
  CommitOutcome,
  Loaded,
  PruneBefore,
  Store,
  StoredAnswer,
  StoredJob,
} from '../store/contract.ts';

const loadOrder: readonly EntityName[] = ['meta', 'board', 'queue', 'lab', 'turn', 'lock', 'ticket', 'job'];

class RuleBroken extends Error {}

/** What is on the "disk". */
interface Disk {
  /** Records as text by entity and key; tickets and jobs also the ended ones. */
  readonly rows: Map<string, string>;
  readonly answers: Map<string, StoredAnswer & { wallAt: number }>;
  audit: AuditRow[];
  auditCount: number;
  readonly endedWallAt: Map<string, number>;
  readonly logGoneWallAt: Map<number, number>;
  now: number;
}

export class MemoryStore implements Store {
  #disk: Disk;

  constructor() {
    this.#disk = {
      rows: new Map(),
      answers: new Map(),
      audit: [],
      auditCount: 0,
      endedWallAt: new Map(),
      logGoneWallAt: new Map(),
      now: 0,
    };
  }

  /** A second store on the same data, as the next start of a server sees it. */
  reopen(): MemoryStore {
    const next = new MemoryStore();
    next.#disk = this.#disk;
    return next;
  }

  async load(): Promise<Loaded> {
    const changes = loadOrder.flatMap((entity) =>
      this.#records(entity)
        .filter(({ record }) => !isEnded(entity, record))
        .map(({ key, record }) => ({ entity, key, before: undefined, after: record })),
    );
    const answers = [...this.#disk.answers.values()].map(({ wallAt: _wallAt, ...answer }) => answer);
    return { changes: changes as unknown as Loaded['changes'], now: this.#disk.now, answers };
  }

  async commit(batch: Batch): Promise<CommitOutcome> {
    const { rows, answers, audit, endedWallAt } = this.#disk;
    const next = new Map(rows);
    try {
      for (const change of coalesce(batch.changes)) write(next, change);
      checkJobs(next);
      for (const { requestId } of batch.answers) {
        if (answers.has(requestId)) throw new RuleBroken(`request ${requestId} has an answer`);
      }
    } catch (error) {
      if (error instanceof RuleBroken) return { kind: 'rejected', message: error.message };
      throw error;
    }
    const { wallAt } = batch;
    for (const { entity, key } of batch.changes) if (entity === 'ticket') endedWallAt.set(key, wallAt);
    for (const answer of batch.answers) answers.set(answer.requestId, { ...answer, wallAt });
    for (const event of batch.audit) audit.push({ ...event, id: ++this.#disk.auditCount, wallAt });
    this.#disk = Object.assign(this.#disk, { rows: next, now: batch.now });
    return { kind: 'committed' };
  }

  async findAnswer(requestId: string): Promise<StoredAnswer | undefined> {
    const { wallAt: _wallAt, ...answer } = this.#disk.answers.get(requestId) ?? { wallAt: 0 };
    return 'requestId' in answer ? answer : undefined;
  }

  async findTicket(id: number): Promise<TicketRecord | undefined> {
    return this.#read<TicketRecord>('ticket', String(id));
  }

  async findJob(id: number): Promise<StoredJob | undefined> {
    const job = this.#read<JobRecord>('job', String(id));
    return job && this.#asStored(job);
  }

  async listJobs(filter: { user?: string; limit: number }): Promise<StoredJob[]> {
    return this.#jobs()
      .map((job) => this.#asStored(job))
      .filter((job) => filter.user === undefined || job.user === filter.user)
      .sort((a, b) => b.id - a.id)
      .slice(0, filter.limit);
  }

  async listAudit(filter: { board?: string; ticket?: number; limit: number }): Promise<AuditRow[]> {
    return this.#disk.audit
      .filter((row) => filter.board === undefined || row.board === filter.board)
      .filter((row) => filter.ticket === undefined || row.ticket === filter.ticket)
      .toReversed()
      .slice(0, filter.limit);
  }

  async prune(before: PruneBefore): Promise<boolean> {
    const { answers, rows, endedWallAt, logGoneWallAt } = this.#disk;
    this.#disk.audit = this.#disk.audit.filter((row) => row.wallAt >= before.auditAt);
    for (const job of this.#jobs()) {
      const isOld = job.state === 'ended' && (job.endedWallAt ?? 0) < before.jobsAt;
      if (isOld && logGoneWallAt.has(job.id)) rows.delete(nameOf('job', String(job.id)));
    }
    for (const [id, { wallAt }] of [...answers]) if (wallAt < before.answersAt) answers.delete(id);
    for (const { key, record } of this.#records('ticket')) {
      const isOld = (endedWallAt.get(key) ?? 0) < before.ticketsAt;
      if (isOld && isEnded('ticket', record)) rows.delete(nameOf('ticket', key));
    }
    return false;
  }

  async listLogs(filter: {
    endedBefore: number;
    limit: number;
  }): Promise<{ job: number; endedWallAt: number }[]> {
    return this.#jobs()
      .filter((job) => job.state === 'ended' && !this.#disk.logGoneWallAt.has(job.id))
      .map((job) => ({ job: job.id, endedWallAt: job.endedWallAt ?? 0 }))
      .filter(({ endedWallAt }) => endedWallAt < filter.endedBefore)
      .sort((a, b) => a.endedWallAt - b.endedWallAt || a.job - b.job)
      .slice(0, filter.limit);
  }

  async findLogs(jobs: readonly number[]): Promise<number[]> {
    return this.#jobs()
      .map(({ id }) => id)
      .filter((id) => jobs.includes(id) && !this.#disk.logGoneWallAt.has(id));
  }

  async dropLogs(jobs: readonly number[], wallAt: number): Promise<void> {
    const gone = this.#disk.logGoneWallAt;
    for (const { id, state } of this.#jobs()) {
      if (state === 'ended' && jobs.includes(id) && !gone.has(id)) gone.set(id, wallAt);
    }
  }

  async close(): Promise<void> {}

  #jobs(): JobRecord[] {
    return this.#records('job').map(({ record }) => record as unknown as JobRecord);
  }

  #asStored(job: JobRecord): StoredJob {
    const logGoneWallAt = this.#disk.logGoneWallAt.get(job.id);
    return logGoneWallAt === undefined ? job : { ...job, logGoneWallAt };
  }

  #read<R>(entity: EntityName, key: string): R | undefined {
    const text = this.#disk.rows.get(nameOf(entity, key));
    return text === undefined ? undefined : (JSON.parse(text) as R);
  }

  #records(entity: EntityName): { key: string; record: { state?: string; id?: number } }[] {
    const prefix = nameOf(entity, '');
    return [...this.#disk.rows]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, text]) => ({ key: name.slice(prefix.length), record: JSON.parse(text) }))
      .sort((a, b) => (a.record.id ?? 0) - (b.record.id ?? 0));
  }
}

function write(rows: Map<string, string>, { entity, key, before, after }: NetChange): void {
  const name = nameOf(entity, key);
  const text = rows.get(name);
  const stored = text === undefined ? undefined : JSON.parse(text);
  if (entity === 'lock') checkLock(key, stored, before as LockRecord | undefined);
  if (stored && isEnded(entity, stored)) throw new RuleBroken(`${entity} ${key} had ended`);
  if (after === undefined) rows.delete(name);
  else rows.set(name, JSON.stringify(after));
}

function checkLock(board: string, stored: LockRecord | undefined, before: LockRecord | undefined): void {
  const meant = before && formatToken(before.token);
  if ((stored && formatToken(stored.token)) !== meant) {
    throw new RuleBroken(`the lock on ${board} is not the one that was meant`);
  }
}

function checkJobs(rows: ReadonlyMap<string, string>): void {
  const busy = new Set<string>();
  for (const [name, text] of rows) {
    if (!name.startsWith(nameOf('job', ''))) continue;
    const job = JSON.parse(text) as JobRecord;
    if (job.state === 'ended') continue;
    if (busy.has(job.board)) throw new RuleBroken(`two live jobs on ${job.board}`);
    busy.add(job.board);
  }
}

function isEnded(entity: EntityName, record: { state?: string }): boolean {
  return (entity === 'ticket' || entity === 'job') && record.state === 'ended';
}

function nameOf(entity: EntityName, key: string): string {
  return `${entity}\u0000${key}`;
}
