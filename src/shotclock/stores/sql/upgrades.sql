-- What brings the file of an older release to this one, step by step: `to_N` from the schema before N, in one transaction.

-- name: to_2
CREATE TABLE flag (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;

-- name: at_2
PRAGMA user_version = 2;
