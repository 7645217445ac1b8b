-- Finds what was kept for its time; some stores have it already.

CREATE INDEX IF NOT EXISTS entry_age ON entry (kind, at, id);
