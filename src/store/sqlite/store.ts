// The SQLite store as the server sees it: calls to the store's thread. Node's own SQLite, WAL, synchronous=FULL.
import { Worker } from 'node:worker_threads';
import type { AuditEvent } from '../../domain/commands.ts';
import type { Change, JobRecord, LockRecord, TicketRecord } from '../../domain/records.ts';
import { formatToken } from '../../domain/records.ts';
import { coalesce } from '../coalesce.ts';
import type {
  AuditRow,
  Batch,
  CommitOutcome,
  Loaded,
  PruneBefore,
  Store,
  StoredAnswer,
  StoredJob,
} from '../contract.ts';
import { StoreError } from '../contract.ts';
import type { ThreadAnswer, ThreadCall } from './thread.ts';
import type { RowWrite, WriteBatch } from './write.ts';

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

type CallBody = ThreadCall extends infer C ? (C extends ThreadCall ? Omit<C, 'id'> : never) : never;

/**
 * Opens (or makes) the database at `path`. `threadUrl` is the store's thread entry (store/sqlite/thread.ts). Throws
 * StoreError if the file is damaged, newer than this program, or in use.
 */
export async function openSqliteStore(options: { path: string; threadUrl: URL }): Promise<Store> {
  const store = new SqliteStore(options);
  try {
    await store.open();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

class SqliteStore implements Store {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #dead: Error | undefined;

  constructor(options: { path: string; threadUrl: URL }) {
    this.#worker = new Worker(options.threadUrl, { workerData: { path: options.path } });
    this.#worker.on('message', (answer: ThreadAnswer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#die(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', () => this.#die(new Error('the store thread has ended')));
  }

  async open(): Promise<void> {
    await this.#call({ call: 'open' });
  }

  load(): Promise<Loaded> {
    return this.#call({ call: 'load' }) as Promise<Loaded>;
  }

  async commit(batch: Batch): Promise<CommitOutcome> {
    let writes: WriteBatch;
    try {
      writes = toWrites(batch);
    } catch (error) {
      return { kind: 'rejected', message: messageOf(error) };
    }
    try {
      return (await this.#call({ call: 'commit', batch: writes })) as CommitOutcome;
    } catch (error) {
      return { kind: 'unknown', message: messageOf(error) };
    }
  }

  findAnswer(requestId: string): Promise<StoredAnswer | undefined> {
    return this.#call({ call: 'findAnswer', requestId }) as Promise<StoredAnswer | undefined>;
  }

  findTicket(id: number): Promise<TicketRecord | undefined> {
    return this.#call({ call: 'findTicket', key: id }) as Promise<TicketRecord | undefined>;
  }

  findJob(id: number): Promise<StoredJob | undefined> {
    return this.#call({ call: 'findJob', key: id }) as Promise<StoredJob | undefined>;
  }

  listJobs(filter: { user?: string; limit: number }): Promise<StoredJob[]> {
    return this.#call({ call: 'listJobs', filter }) as Promise<StoredJob[]>;
  }

  listAudit(filter: { board?: string; ticket?: number; limit: number }): Promise<AuditRow[]> {
    return this.#call({ call: 'listAudit', filter }) as Promise<AuditRow[]>;
  }

  prune(before: PruneBefore): Promise<boolean> {
    return this.#call({ call: 'prune', before }) as Promise<boolean>;
  }

  listLogs(filter: { endedBefore: number; limit: number }): Promise<{ job: number; endedWallAt: number }[]> {
    return this.#call({ call: 'listLogs', filter }) as Promise<{ job: number; endedWallAt: number }[]>;
  }

  findLogs(jobs: readonly number[]): Promise<number[]> {
    return this.#call({ call: 'findLogs', jobs }) as Promise<number[]>;
  }

  dropLogs(jobs: readonly number[], wallAt: number): Promise<void> {
    return this.#call({ call: 'dropLogs', jobs, wallAt }) as Promise<void>;
  }

  async close(): Promise<void> {
    if (!this.#dead) await this.#call({ call: 'close' }).catch(() => undefined);
    await this.#worker.terminate();
  }

  #call(body: CallBody): Promise<unknown> {
    if (this.#dead) return Promise.reject(this.#dead);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ ...body, id });
    });
  }

  #settle(answer: ThreadAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.ok) waiting?.resolve(answer.value);
    else waiting?.reject(asError(answer));
  }

  #die(error: Error): void {
    this.#dead ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#dead);
    this.#waiting.clear();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function asError(answer: Extract<ThreadAnswer, { ok: false }>): Error {
  return answer.code === undefined
    ? new Error(answer.message)
    : new StoreError(answer.code as StoreError['code'], answer.message);
}

function toWrites(batch: Batch): WriteBatch {
  return {
    now: batch.now,
    wallAt: batch.wallAt,
    rows: coalesce(batch.changes).map(toRow),
    audit: batch.audit.map(toAudit),
    answers: batch.answers.map(({ requestId, ...rest }) => ({ id: requestId, ...rest })),
  };
}

function toAudit(event: AuditEvent): WriteBatch['audit'][number] {
  return { board: event.board ?? null, ticket: event.ticket ?? null, body: JSON.stringify(event) };
}

function toRow({ entity, key, before, after }: Change): RowWrite {
  switch (entity) {
    case 'lock': {
      const [old, now] = [before as LockRecord | undefined, after as LockRecord | undefined];
      return {
        table: 'lock',
        key,
        before: old ? formatToken(old.token) : null,
        after: now ? formatToken(now.token) : null,
        body: JSON.stringify(now ?? null),
      };
    }
    case 'ticket': {
      const ticket = (after ?? before) as TicketRecord;
      const live = ticket.state === 'ended' ? 0 : 1;
      return { table: 'ticket', id: ticket.id, live, user: ticket.user, body: JSON.stringify(ticket) };
    }
    case 'job': {
      const job = (after ?? before) as JobRecord;
      const live = job.state === 'ended' ? 0 : 1;
      const endedAt = live === 1 ? null : (job.endedWallAt ?? 0);
      return {
        table: 'job',
        id: job.id,
        live,
        board: job.board,
        user: job.user,
        endedAt,
        body: JSON.stringify(job),
      };
    }
    default:
      return { table: entity, key, body: after === undefined ? null : JSON.stringify(after) };
  }
}
