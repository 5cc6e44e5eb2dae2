// Writes one batch in one transaction. Runs in the store's thread.
//
// A lock row is inserted, changed and deleted under its token, and the row count is checked: a change that does not
// meet the lock it was made for is rejected whole.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { CommitOutcome } from '../contract.ts';
import { errorNumber } from './open.ts';

/** A batch as it crosses to the thread: plain text and numbers only. */
export interface WriteBatch {
  readonly now: number;
  readonly wallAt: number;
  readonly rows: readonly RowWrite[];
  readonly audit: readonly { board: string | null; ticket: number | null; body: string }[];
  readonly answers: readonly { id: string; caller: string; digest: string; answer: string }[];
}

export type PlainTable = 'meta' | 'lab' | 'board' | 'queue' | 'turn';

/** `body` null: delete. */
export type RowWrite =
  | { readonly table: PlainTable; readonly key: string; readonly body: string | null }
  | {
      readonly table: 'lock';
      readonly key: string;
      readonly before: string | null;
      readonly after: string | null;
      readonly body: string;
    }
  | {
      readonly table: 'ticket';
      readonly id: number;
      readonly live: 0 | 1;
      readonly user: string;
      readonly body: string;
    }
  | {
      readonly table: 'job';
      readonly id: number;
      readonly live: 0 | 1;
      readonly board: string;
      readonly user: string;
      readonly endedAt: number | null;
      readonly body: string;
    };

class RuleBroken extends Error {}

export class Writer {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  commit(batch: WriteBatch): CommitOutcome {
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const row of batch.rows) this.#writeRow(row, batch.wallAt);
      this.#writeAudit(batch);
      this.#writeAnswers(batch);
      this.#run('INSERT OR REPLACE INTO clock (one, now, wall_at) VALUES (1, ?, ?)', batch.now, batch.wallAt);
      this.#db.exec('COMMIT');
      return { kind: 'committed' };
    } catch (error) {
      return this.#fail(error);
    }
  }

  #writeRow(row: RowWrite, wallAt: number): void {
    if (row.table === 'lock') return this.#writeLock(row);
    if (row.table === 'ticket') {
      const sql =
        'INSERT INTO ticket (id, live, user, wall_at, body) VALUES (?1, ?2, ?3, ?4, ?5) ' +
        'ON CONFLICT (id) DO UPDATE SET live = ?2, wall_at = ?4, body = ?5 WHERE live = 1';
      return this.#one(sql, `ticket ${row.id} had ended`, row.id, row.live, row.user, wallAt, row.body);
    }
    if (row.table === 'job') {
      const sql =
        'INSERT INTO job (id, live, board, user, ended_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ' +
        'ON CONFLICT (id) DO UPDATE SET live = ?2, ended_at = ?5, body = ?6 WHERE live = 1';
      const { id, live, board, user, endedAt, body } = row;
      return this.#one(sql, `job ${id} had ended`, id, live, board, user, endedAt, body);
    }
    if (row.body === null) this.#run(`DELETE FROM ${row.table} WHERE key = ?`, row.key);
    else this.#run(`INSERT OR REPLACE INTO ${row.table} (key, body) VALUES (?, ?)`, row.key, row.body);
  }

  #writeLock(row: Extract<RowWrite, { table: 'lock' }>): void {
    const { key, before, after, body } = row;
    const what = `the lock on ${key} is not the one that was meant`;
    if (before === null)
      this.#one('INSERT INTO lock (key, token, body) VALUES (?, ?, ?)', what, key, after, body);
    else if (after === null) this.#one('DELETE FROM lock WHERE key = ? AND token = ?', what, key, before);
    else
      this.#one(
        'UPDATE lock SET token = ?, body = ? WHERE key = ? AND token = ?',
        what,
        after,
        body,
        key,
        before,
      );
  }

  #writeAudit(batch: WriteBatch): void {
    for (const event of batch.audit) {
      const sql = 'INSERT INTO audit (wall_at, board, ticket, body) VALUES (?, ?, ?, ?)';
      this.#run(sql, batch.wallAt, event.board, event.ticket, event.body);
    }
  }

  #writeAnswers(batch: WriteBatch): void {
    for (const { id, caller, digest, answer } of batch.answers) {
      const sql = 'INSERT INTO answer (id, caller, digest, answer, wall_at) VALUES (?, ?, ?, ?, ?)';
      this.#run(sql, id, caller, digest, answer, batch.wallAt);
    }
  }

  #one(sql: string, what: string, ...values: (string | number | null)[]): void {
    if (this.#run(sql, ...values) !== 1) throw new RuleBroken(what);
  }

  #run(sql: string, ...values: (string | number | null)[]): number {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return Number(statement.run(...values).changes);
  }

  /** Rolls back and says which kind of failure it was; where that is in doubt, the outcome is unknown. */
  #fail(error: unknown): CommitOutcome {
    const message = error instanceof Error ? error.message : String(error);
    const code = errorNumber(error);
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } catch (second) {
      return { kind: 'unknown', message: `${message}; then the rollback failed: ${String(second)}` };
    }
    if (error instanceof RuleBroken) return { kind: 'rejected', message };
    switch (code & 0xff) {
      case 5: // SQLITE_BUSY
      case 6: // SQLITE_LOCKED
      case 7: // SQLITE_NOMEM
      case 13: // SQLITE_FULL
        return { kind: 'refused', message };
      case 19: // SQLITE_CONSTRAINT
      case 20: // SQLITE_MISMATCH
        return { kind: 'rejected', message };
      case 10: // SQLITE_IOERR: only a failed write (disk quota, say) is surely not on disk.
        return code === ioerrWrite ? { kind: 'refused', message } : { kind: 'unknown', message };
      case 0: // Not SQLite's: a value that can't be bound, say. It was rolled back.
        return { kind: 'rejected', message };
      default:
        return { kind: 'unknown', message };
    }
  }
}

const ioerrWrite = 10 | (3 << 8);
