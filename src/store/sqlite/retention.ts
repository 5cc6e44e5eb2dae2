// What goes by age, and which consoles are kept. Runs in the store's thread, between commits; every call is bounded.
import type { DatabaseSync } from 'node:sqlite';
import type { PruneBefore } from '../contract.ts';

/** Rows looked at in one call: about as long as a commit, which may have to wait behind it. */
const prunedMax = 500;

/**
 * Returns whether more may be left. Tickets and audit are looked at in the order of their numbers, oldest first: with a
 * look at every one that is too new, each call would read a day's tickets.
 */
export function prune(db: DatabaseSync, before: PruneBefore): boolean {
  const counts = [
    run(
      db,
      'DELETE FROM answer WHERE id IN (SELECT id FROM answer WHERE wall_at < ? LIMIT ?)',
      before.answersAt,
    ),
    run(
      db,
      'DELETE FROM ticket WHERE wall_at < ? AND id IN (SELECT id FROM ticket WHERE live = 0 ORDER BY id LIMIT ?)',
      before.ticketsAt,
    ),
    run(
      db,
      'DELETE FROM job WHERE id IN (SELECT id FROM job ' +
        'WHERE live = 0 AND log_gone_at IS NOT NULL AND ended_at < ? ORDER BY ended_at LIMIT ?)',
      before.jobsAt,
    ),
    run(
      db,
      'DELETE FROM audit WHERE wall_at < ? AND id IN (SELECT id FROM audit ORDER BY id LIMIT ?)',
      before.auditAt,
    ),
  ];
  return counts.includes(prunedMax);
}

function run(db: DatabaseSync, sql: string, beforeAt: number): number {
  return Number(db.prepare(sql).run(beforeAt, prunedMax).changes);
}

export function listLogs(
  db: DatabaseSync,
  filter: { endedBefore: number; limit: number },
): { job: number; endedWallAt: number }[] {
  const sql =
    'SELECT id, ended_at FROM job WHERE live = 0 AND log_gone_at IS NULL AND ended_at < ? ' +
    'ORDER BY ended_at, id LIMIT ?';
  return db
    .prepare(sql)
    .all(filter.endedBefore, filter.limit)
    .map((row) => ({ job: Number(row.id), endedWallAt: Number(row.ended_at) }));
}

export function findLogs(db: DatabaseSync, jobs: readonly number[]): number[] {
  const sql = 'SELECT id FROM job WHERE log_gone_at IS NULL AND id IN (SELECT value FROM json_each(?))';
  return db
    .prepare(sql)
    .all(JSON.stringify(jobs))
    .map((row) => Number(row.id));
}

export function dropLogs(db: DatabaseSync, jobs: readonly number[], wallAt: number): void {
  const sql =
    'UPDATE job SET log_gone_at = ? ' +
    'WHERE live = 0 AND log_gone_at IS NULL AND id IN (SELECT value FROM json_each(?))';
  db.prepare(sql).run(wallAt, JSON.stringify(jobs));
}
