-- What releases have added since the first: made by whoever opens a file that lacks it. An older release goes on beside it,
-- so the number of the schema stays; it grows when an older one must not write any more.

-- name: flag
CREATE TABLE IF NOT EXISTS flag (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  body TEXT NOT NULL
) WITHOUT ROWID;
