// The numbered steps from an empty file to the present schema. Never change one that was released: add the next.
// Bodies are the scheduler's records as JSON; columns beside them are what rules and look-ups need.

/** Marks the file as ours (`PRAGMA application_id`). */
export const applicationId = 0x6d71_7565;

export const migrations: readonly string[] = [
  // 1: records, audit, answers.
  `
  CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), now REAL NOT NULL, wall_at REAL NOT NULL) STRICT;
  CREATE TABLE meta (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE lab (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE board (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE queue (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE turn (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  -- One row a board: two locks on one board can't be stored. The token says which lock a write means.
  CREATE TABLE lock (key TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE ticket (
    id INTEGER PRIMARY KEY, live INTEGER NOT NULL, user TEXT NOT NULL, wall_at REAL NOT NULL, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX ticket_live ON ticket (id) WHERE live = 1;
  CREATE TABLE job (
    id INTEGER PRIMARY KEY, live INTEGER NOT NULL, board TEXT NOT NULL, user TEXT NOT NULL, body TEXT NOT NULL
  ) STRICT;
  -- At most one job on a board.
  CREATE UNIQUE INDEX job_live ON job (board) WHERE live = 1;
  CREATE INDEX job_user ON job (user, id);
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY, wall_at REAL NOT NULL, board TEXT, ticket INTEGER, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_board ON audit (board, id) WHERE board IS NOT NULL;
  CREATE INDEX audit_ticket ON audit (ticket, id) WHERE ticket IS NOT NULL;
  CREATE TABLE answer (
    id TEXT PRIMARY KEY, caller TEXT NOT NULL, digest TEXT NOT NULL, answer TEXT NOT NULL, wall_at REAL NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX answer_age ON answer (wall_at);
  `,
  // 2: which consoles are kept, and since when jobs have ended.
  `
  ALTER TABLE job ADD COLUMN ended_at REAL;
  ALTER TABLE job ADD COLUMN log_gone_at REAL;
  UPDATE job SET ended_at = coalesce(body ->> 'endedWallAt', 0) WHERE live = 0;
  CREATE INDEX job_log ON job (ended_at) WHERE live = 0 AND log_gone_at IS NULL;
  CREATE INDEX job_bare ON job (ended_at) WHERE live = 0 AND log_gone_at IS NOT NULL;
  `,
];
