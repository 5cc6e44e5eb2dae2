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

interface Row {
  readonly text: string;
  /** Of tickets and jobs. */
  readonly isEnded: boolean;
}

/** What is on the "disk". */
interface Disk {
  /** Records as text by entity and key; tickets and jobs also the ended ones. */
  readonly rows: ReadonlyMap<EntityName, Map<string, Row>>;
  /** The live job of each board. */
  readonly busy: Map<string, string>;
  readonly answers: Map<string, StoredAnswer & { wallAt: number }>;
  audit: AuditRow[];
  auditCount: number;
  readonly endedWallAt: Map<string, number>;
  readonly logGoneWallAt: Map<number, number>;
  now: number;
}

function emptyDisk(): Disk {
  return {
    rows: new Map(loadOrder.map((name) => [name, new Map()])),
    busy: new Map(),
    answers: new Map(),
    audit: [],
    auditCount: 0,
    endedWallAt: new Map(),
    logGoneWallAt: new Map(),
    now: 0,
  };
}

export class MemoryStore implements Store {
  #disk: Disk;

  /** Empty, or on what another one has written. */
  constructor(before?: MemoryStore) {
    this.#disk = before ? before.#disk : emptyDisk();
  }

  /** A second store on the same data, as the next start of a server sees it. */
  reopen(): MemoryStore {
    return new MemoryStore(this);
  }

  async load(): Promise<Loaded> {
    const changes = loadOrder.flatMap((entity) =>
      this.#records(entity, (row) => !row.isEnded).map(({ key, record }) => ({
        entity,
        key,
        before: undefined,
        after: record,
      })),
    );
    const answers = [...this.#disk.answers.values()].map(({ wallAt: _wallAt, ...answer }) => answer);
    return { changes: changes as unknown as Loaded['changes'], now: this.#disk.now, answers };
  }

  async commit(batch: Batch): Promise<CommitOutcome> {
    const { answers, audit, endedWallAt } = this.#disk;
    const undo: (() => void)[] = [];
    try {
      // What goes makes room for what comes, in whichever order they were done.
      const changes = coalesce(batch.changes).toSorted((a, b) => Number(endsJob(b)) - Number(endsJob(a)));
      for (const change of changes) write(this.#disk, change, undo);
      for (const { requestId } of batch.answers) {
        if (answers.has(requestId)) throw new RuleBroken(`request ${requestId} has an answer`);
      }
    } catch (error) {
      for (const action of undo.toReversed()) action();
      if (error instanceof RuleBroken) return { kind: 'rejected', message: error.message };
      throw error;
    }
    const { wallAt } = batch;
    for (const { entity, key } of batch.changes) if (entity === 'ticket') endedWallAt.set(key, wallAt);
    for (const answer of batch.answers) answers.set(answer.requestId, { ...answer, wallAt });
    for (const event of batch.audit) audit.push({ ...event, id: ++this.#disk.auditCount, wallAt });
    this.#disk.now = batch.now;
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
      if (isOld && logGoneWallAt.has(job.id)) tableOf(rows, 'job').delete(String(job.id));
    }
    for (const [id, { wallAt }] of [...answers]) if (wallAt < before.answersAt) answers.delete(id);
    for (const { key, record } of this.#records('ticket')) {
      const isOld = (endedWallAt.get(key) ?? 0) < before.ticketsAt;
      if (isOld && isEnded('ticket', record)) tableOf(rows, 'ticket').delete(key);
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
    const row = tableOf(this.#disk.rows, entity).get(key);
    return row && (JSON.parse(row.text) as R);
  }

  #records(
    entity: EntityName,
    isWanted: (row: Row) => boolean = () => true,
  ): { key: string; record: { state?: string; id?: number } }[] {
    return [...tableOf(this.#disk.rows, entity)]
      .filter(([, row]) => isWanted(row))
      .map(([key, { text }]) => ({ key, record: JSON.parse(text) }))
      .sort((a, b) => (a.record.id ?? 0) - (b.record.id ?? 0));
  }
}

function tableOf(rows: Disk['rows'], entity: EntityName): Map<string, Row> {
  const table = rows.get(entity);
  if (!table) throw new Error(`no table ${entity}`);
  return table;
}

/** Each thing that it does it can undo, last first. */
function write(disk: Disk, { entity, key, before, after }: NetChange, undo: (() => void)[]): void {
  const table = tableOf(disk.rows, entity);
  const row = table.get(key);
  if (entity === 'lock')
    checkLock(key, row && (JSON.parse(row.text) as LockRecord), before as LockRecord | undefined);
  if (row?.isEnded) throw new RuleBroken(`${entity} ${key} had ended`);
  set(table, key, after && { text: JSON.stringify(after), isEnded: isEnded(entity, after) }, undo);
  if (entity !== 'job') return;
  const job = (after ?? before) as JobRecord;
  const isLive = after !== undefined && !isEnded(entity, after);
  const other = disk.busy.get(job.board);
  if (isLive && other !== undefined && other !== key) throw new RuleBroken(`two live jobs on ${job.board}`);
  if (isLive || other === key) set(disk.busy, job.board, isLive ? key : undefined, undo);
}

function set<V>(map: Map<string, V>, key: string, value: V | undefined, undo: (() => void)[]): void {
  const known = map.get(key);
  const put = (one: V | undefined): void => {
    if (one === undefined) map.delete(key);
    else map.set(key, one);
  };
  put(value);
  undo.push(() => put(known));
}

function endsJob({ entity, after }: NetChange): boolean {
  return entity === 'job' && (after === undefined || isEnded(entity, after));
}

function checkLock(board: string, stored: LockRecord | undefined, before: LockRecord | undefined): void {
  const meant = before && formatToken(before.token);
  if ((stored && formatToken(stored.token)) !== meant) {
    throw new RuleBroken(`the lock on ${board} is not the one that was meant`);
  }
}

function isEnded(entity: EntityName, record: object): boolean {
  return (entity === 'ticket' || entity === 'job') && 'state' in record && record.state === 'ended';
}
