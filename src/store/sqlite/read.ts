// Look-ups. Run in the store's thread, between commits; every one is bounded.
import type { DatabaseSync } from 'node:sqlite';
import type { Change, EntityName, JobRecord, TicketRecord } from '../../domain/records.ts';
import type { AuditRow, Loaded, StoredAnswer } from '../contract.ts';

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

export function findJob(db: DatabaseSync, id: number): JobRecord | undefined {
  const row = db.prepare('SELECT body FROM job WHERE id = ?').get(id);
  return row && (JSON.parse(String(row.body)) as JobRecord);
}

export function listJobs(db: DatabaseSync, filter: { user?: string; limit: number }): JobRecord[] {
  const rows =
    filter.user === undefined
      ? db.prepare('SELECT body FROM job ORDER BY id DESC LIMIT ?').all(filter.limit)
      : db
          .prepare('SELECT body FROM job WHERE user = ? ORDER BY id DESC LIMIT ?')
          .all(filter.user, filter.limit);
  return rows.map((row) => JSON.parse(String(row.body)) as JobRecord);
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

/** Rows looked at in one call: about as long as a commit, which may have to wait behind it. */
const prunedMax = 500;

/**
 * Returns whether more may be left. Tickets are looked at in the order of their numbers, oldest first: with a look at
 * every ended one that is too new, each call would read a day's tickets.
 */
export function prune(db: DatabaseSync, before: { answersAt: number; ticketsAt: number }): boolean {
  const answers = db
    .prepare('DELETE FROM answer WHERE id IN (SELECT id FROM answer WHERE wall_at < ? LIMIT ?)')
    .run(before.answersAt, prunedMax);
  const tickets = db
    .prepare(
      'DELETE FROM ticket WHERE wall_at < ? AND id IN (SELECT id FROM ticket WHERE live = 0 ORDER BY id LIMIT ?)',
    )
    .run(before.ticketsAt, prunedMax);
  return Number(answers.changes) === prunedMax || Number(tickets.changes) === prunedMax;
}

function asAnswer(row: Record<string, unknown>): StoredAnswer {
  return {
    requestId: String(row.id),
    caller: String(row.caller),
    digest: String(row.digest),
    answer: String(row.answer),
  };
}
