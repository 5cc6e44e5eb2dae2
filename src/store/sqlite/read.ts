// Look-ups. Run in the store's thread, between commits; every one is bounded.
import type { DatabaseSync } from 'node:sqlite';
import type { Change, EntityName, JobRecord, TicketRecord } from '../../domain/records.ts';
import type { AuditRow, Loaded, StoredAnswer, StoredJob } from '../contract.ts';

/** Newest answers kept in memory from the start; older ones are looked up when a client says it repeats. */
const answersLoadedMax = 10_000;

/** An order in which records can be applied one by one: what others refer to comes first. */
const loadOrder: readonly { entity: EntityName; sql: string }[] = [
  { entity: 'meta', sql: 'SELECT key, body FROM meta' },
  { entity: 'board', sql: 'SELECT key, body FROM board' },
  { entity: 'queue', sql: 'SELECT key, body FROM queue' },
  { entity: 'lab', sql: 'SELECT key, body FROM lab' },
  { entity: 'turn', sql: 'SELECT key, body FROM turn' },
  { entity: 'lock', sql: 'SELECT key, body FROM lock' },
  { entity: 'ticket', sql: 'SELECT id AS key, body FROM ticket WHERE live = 1 ORDER BY id' },
  { entity: 'job', sql: 'SELECT id AS key, body FROM job WHERE live = 1 ORDER BY id' },
];

export function load(db: DatabaseSync): Loaded {
  const changes = loadOrder.flatMap(({ entity, sql }) =>
    db
      .prepare(sql)
      .all()
      .map((row) => ({
        entity,
        key: String(row.key),
        before: undefined,
        after: JSON.parse(String(row.body)),
      })),
  ) as Change[];
  const clock = db.prepare('SELECT now FROM clock').get();
  const answers = db
    .prepare('SELECT id, caller, digest, answer FROM answer ORDER BY wall_at DESC LIMIT ?')
    .all(answersLoadedMax)
    .reverse()
    .map(asAnswer);
  return { changes, now: Number(clock?.now ?? 0), answers };
}

export function findAnswer(db: DatabaseSync, id: string): StoredAnswer | undefined {
  const row = db.prepare('SELECT id, caller, digest, answer FROM answer WHERE id = ?').get(id);
  return row && asAnswer(row);
}

export function findTicket(db: DatabaseSync, id: number): TicketRecord | undefined {
  const row = db.prepare('SELECT body FROM ticket WHERE id = ?').get(id);
  return row && (JSON.parse(String(row.body)) as TicketRecord);
}

export function findJob(db: DatabaseSync, id: number): StoredJob | undefined {
  const row = db.prepare('SELECT body, log_gone_at FROM job WHERE id = ?').get(id);
  return row && asJob(row);
}

export function listJobs(db: DatabaseSync, filter: { user?: string; limit: number }): StoredJob[] {
  const rows =
    filter.user === undefined
      ? db.prepare('SELECT body, log_gone_at FROM job ORDER BY id DESC LIMIT ?').all(filter.limit)
      : db
          .prepare('SELECT body, log_gone_at FROM job WHERE user = ? ORDER BY id DESC LIMIT ?')
          .all(filter.user, filter.limit);
  return rows.map(asJob);
}

export function listAudit(
  db: DatabaseSync,
  filter: { board?: string; ticket?: number; limit: number },
): AuditRow[] {
  const [where, value] =
    filter.board !== undefined
      ? ['WHERE board = ?', [filter.board]]
      : filter.ticket !== undefined
        ? ['WHERE ticket = ?', [filter.ticket]]
        : ['', []];
  const sql = `SELECT id, wall_at, body FROM audit ${where} ORDER BY id DESC LIMIT ?`;
  return db
    .prepare(sql)
    .all(...value, filter.limit)
    .map(
      (row) =>
        ({ ...JSON.parse(String(row.body)), id: Number(row.id), wallAt: Number(row.wall_at) }) as AuditRow,
    );
}

function asAnswer(row: Record<string, unknown>): StoredAnswer {
  return {
    requestId: String(row.id),
    caller: String(row.caller),
    digest: String(row.digest),
    answer: String(row.answer),
  };
}

function asJob(row: Record<string, unknown>): StoredJob {
  const job = JSON.parse(String(row.body)) as JobRecord;
  return row.log_gone_at === null ? job : { ...job, logGoneWallAt: Number(row.log_gone_at) };
}
