// Opens the database file: checks that it is ours, whole and not newer than this program, and brings its schema
// up to date, after a copy. Runs in the store's thread.
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../contract.ts';
import { applicationId, migrations } from './migrations.ts';

/** Opens or makes the database. Throws StoreError with what to do. `steps`: the migrations, which tests make longer. */
export function openDatabase(path: string, steps: readonly string[] = migrations): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    // One process at a time, and no shared-memory file: a second server is refused at its first look.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA busy_timeout = 0');
    checkOurs(db, path, steps.length);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    migrate(db, path, steps);
    return db;
  } catch (error) {
    db?.close();
    throw asStoreError(error, path);
  }
}

/** Before the first write: what is not ours, or not whole, stays as it is. */
function checkOurs(db: DatabaseSync, path: string, newest: number): void {
  const version = readPragma(db, 'user_version');
  const id = readPragma(db, 'application_id');
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (id !== applicationId && !(isEmpty && id === 0 && version === 0)) {
    throw new StoreError(
      'STORE_UNUSABLE',
      `${path} is a database of some other program. Choose another --state folder.`,
    );
  }
  if (version > newest) {
    throw new StoreError(
      'STORE_NEWER',
      `${path} was written by a newer mq (schema ${version}, this one knows ${newest}). ` +
        `Run that version, or restore the copy ${path}.before-${newest + 1} that it made.`,
    );
  }
  const [row] = db.prepare('PRAGMA quick_check(1)').all();
  const found = Object.values(row ?? {})[0];
  if (found !== 'ok') throw new StoreError('STORE_DAMAGED', damagedText(path, String(found)));
}

function migrate(db: DatabaseSync, path: string, steps: readonly string[]): void {
  const version = readPragma(db, 'user_version');
  if (version === steps.length) return;
  if (version > 0) copyBefore(db, `${path}.before-${version + 1}`);
  for (const [at, sql] of steps.entries()) {
    if (at < version) continue;
    db.exec('BEGIN EXCLUSIVE');
    try {
      db.exec(sql);
      db.exec(`PRAGMA user_version = ${at + 1}; PRAGMA application_id = ${applicationId}`);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}

/** The way back: the whole database as it was before the first new step. Under its name it is whole, or not there. */
function copyBefore(db: DatabaseSync, copy: string): void {
  const unfinished = `${copy}.unfinished`;
  rmSync(unfinished, { force: true });
  db.prepare('VACUUM INTO ?').run(unfinished);
  syncPath(unfinished);
  renameSync(unfinished, copy);
  syncPath(dirname(copy));
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function readPragma(db: DatabaseSync, name: string): number {
  const row = db.prepare(`PRAGMA ${name}`).get();
  return Number(Object.values(row ?? {})[0] ?? 0);
}

function damagedText(path: string, found: string): string {
  return `${path} is damaged: ${found}. Nothing was changed. Restore a copy of the state folder, or move the file away to start empty.`;
}

function asStoreError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const code = errorNumber(error) & 0xff;
  const cause = { cause: error };
  const text = error instanceof Error ? error.message : String(error);
  if (code === 5 || code === 6) {
    return new StoreError(
      'STORE_IN_USE',
      `${path} is in use by another process: is another mq server running on this folder?`,
      cause,
    );
  }
  if (code === 11 || code === 26) return new StoreError('STORE_DAMAGED', damagedText(path, text), cause);
  return new StoreError(
    'STORE_UNUSABLE',
    `${path} can't be opened: ${text}. Check the folder's rights and the disk.`,
    cause,
  );
}

/** SQLite's (extended) result code, or 0. */
export function errorNumber(error: unknown): number {
  const code = (error as { errcode?: unknown } | undefined)?.errcode;
  return typeof code === 'number' ? code : 0;
}
