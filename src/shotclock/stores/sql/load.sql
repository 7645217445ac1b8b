-- Rows of another store, put into an empty SQLite store as they are.

-- name: load_run
INSERT INTO run (number, id, pipeline, mode, key, generation, state, superseded, started_at, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: load_plan
INSERT INTO plan (run, body) VALUES (?, ?);

-- name: load_phase
INSERT INTO phase (id, run, name, idx, state, version, due_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: load_page
INSERT INTO page (phase, number, lo, n, body) VALUES (?, ?, ?, ?, ?);

-- name: load_item_name
INSERT INTO item_name (phase, hash, ordinal) VALUES (?, ?, ?);

-- name: load_task
INSERT INTO task (phase, lo, work, hi, rank, state, token, available_at, owner, unsettled, kinds, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: load_opening
INSERT INTO opening (phase, body) VALUES (?, ?);

-- name: load_entry
INSERT INTO entry (id, kind, scope, phase, member, at, digest, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: load_tally
INSERT INTO tally (scope, name, number) VALUES (?, ?, ?);

-- name: load_outbox
INSERT INTO outbox (number, key, route, run, sent, created_at, ready_at, attempts, error, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: load_halt
INSERT INTO halt (scope, since, until, actor, reason) VALUES (?, ?, ?, ?, ?);

-- name: load_flag
INSERT INTO flag (name, version, body) VALUES (?, ?, ?);

-- name: load_process
INSERT INTO process (name, body) VALUES (?, ?);

-- name: last_entry
SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'entry';

-- name: forget_entry
DELETE FROM sqlite_sequence WHERE name = 'entry';

-- name: note_entry
INSERT INTO sqlite_sequence (name, seq) VALUES ('entry', ?);
