-- The tables of a store. A body is the whole value as JSON; the columns beside it repeat what is searched for.
-- Instants are microseconds since 1970 in UTC. The text of a statement ends with a semicolon at the end of a line.

CREATE TABLE run (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  pipeline TEXT NOT NULL,
  mode TEXT NOT NULL,
  key TEXT NOT NULL,
  generation INTEGER NOT NULL,
  state TEXT NOT NULL,
  superseded INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  body TEXT NOT NULL
);

CREATE INDEX run_identity ON run (pipeline, mode, key, generation, number);

CREATE INDEX run_started ON run (started_at, number);

CREATE INDEX run_running ON run (started_at, number) WHERE state = 'running' AND superseded = 0;

CREATE TABLE plan (
  run TEXT PRIMARY KEY REFERENCES run (id),
  body TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE phase (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL REFERENCES run (id),
  name TEXT NOT NULL,
  idx INTEGER NOT NULL,
  state TEXT NOT NULL,
  version INTEGER NOT NULL,
  due_at INTEGER,
  body TEXT NOT NULL
);

CREATE INDEX phase_run ON phase (run, idx);

CREATE INDEX phase_due ON phase (due_at, id) WHERE due_at IS NOT NULL;

CREATE TABLE page (
  phase INTEGER NOT NULL REFERENCES phase (id),
  number INTEGER NOT NULL,
  lo INTEGER NOT NULL,
  n INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (phase, number)
);

CREATE INDEX page_lo ON page (phase, lo, number) WHERE n > 0;

-- hash: the first 16 bytes of BLAKE2b of the name in UTF-8.
CREATE TABLE item_name (
  phase INTEGER NOT NULL REFERENCES phase (id),
  hash BLOB NOT NULL,
  ordinal INTEGER NOT NULL,
  PRIMARY KEY (phase, hash)
) WITHOUT ROWID;

-- work: 0 member, 1 chunk, 2 outside, 3 enumerate, 4 then. state: 0 queued, 1 leased, 2 ended, 3 outside.
-- available_at: since when it may be leased, for queued and leased ones. owner: of leased ones.
-- unsettled: how many of its members are neither satisfied nor withdrawn. kinds: one byte a member.
CREATE TABLE task (
  phase INTEGER NOT NULL REFERENCES phase (id),
  lo INTEGER NOT NULL,
  work INTEGER NOT NULL,
  hi INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  state INTEGER NOT NULL,
  token INTEGER NOT NULL,
  available_at INTEGER,
  owner TEXT,
  unsettled INTEGER NOT NULL,
  kinds BLOB NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (phase, lo, work)
) WITHOUT ROWID;

CREATE INDEX task_open ON task (phase, available_at, rank, lo, work) WHERE available_at IS NOT NULL;

CREATE INDEX task_leased ON task (phase, lo, work, owner) WHERE state = 1;

CREATE INDEX task_pending ON task (phase, lo, work) WHERE unsettled > 0;

CREATE TABLE opening (
  phase INTEGER PRIMARY KEY REFERENCES phase (id),
  body TEXT NOT NULL
);

-- AUTOINCREMENT: a number is never given twice, so that a repeated removal cannot hit another entry.
CREATE TABLE entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  scope TEXT NOT NULL,
  phase TEXT NOT NULL,
  member TEXT NOT NULL,
  at INTEGER NOT NULL,
  digest TEXT NOT NULL,
  body TEXT NOT NULL
);

CREATE INDEX entry_scope ON entry (kind, scope, at, id);

CREATE INDEX entry_age ON entry (kind, at, id);

CREATE INDEX entry_member ON entry (kind, scope, member, at, id) WHERE member <> '';

CREATE TABLE tally (
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (scope, name)
) WITHOUT ROWID;

CREATE TABLE outbox (
  number INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  route TEXT NOT NULL,
  run TEXT NOT NULL,
  sent INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  ready_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  error TEXT,
  body TEXT NOT NULL
);

CREATE INDEX outbox_unsent ON outbox (ready_at, created_at, number) WHERE sent = 0;

CREATE TABLE halt (
  scope TEXT NOT NULL,
  since INTEGER NOT NULL,
  until INTEGER,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (since, scope)
) WITHOUT ROWID;

CREATE TABLE process (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL
) WITHOUT ROWID;

PRAGMA application_id = 1397244747;

PRAGMA user_version = 1;
