-- Every statement of the SQLite store, by name. Read and write them here, with a plan from EXPLAIN QUERY PLAN in mind.

-- name: run
SELECT body FROM run WHERE id = ?;

-- name: run_newest
SELECT body FROM run WHERE pipeline = ? AND mode = ? AND key = ? ORDER BY generation DESC LIMIT 1;

-- name: run_before
SELECT body FROM run WHERE pipeline = ? AND mode = ? AND key < ? ORDER BY key DESC, generation DESC LIMIT 1;

-- name: runs
SELECT body FROM run
WHERE (:pipeline IS NULL OR pipeline = :pipeline)
  AND (:state IS NULL OR state = :state)
  AND (superseded = 0 OR :superseded)
ORDER BY started_at DESC, number DESC LIMIT :limit;

-- name: run_add
INSERT INTO run (number, id, pipeline, mode, key, generation, state, superseded, started_at, body)
SELECT coalesce(max(number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM run;

-- name: run_put
UPDATE run SET pipeline = ?, mode = ?, key = ?, generation = ?, state = ?, superseded = ?, started_at = ?, body = ?
WHERE id = ?;

-- name: plan
SELECT body FROM plan WHERE run = ?;

-- name: plan_add
INSERT INTO plan (run, body) VALUES (?, ?);

-- name: phase
SELECT body FROM phase WHERE id = ?;

-- name: phase_of
SELECT body FROM phase WHERE run = ? AND name = ?;

-- name: phases
SELECT body FROM phase WHERE run = ? ORDER BY idx, id;

-- name: phase_last
SELECT coalesce(max(id), 0) FROM phase;

-- name: phase_add
INSERT INTO phase (id, run, name, idx, state, version, due_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: phase_put
UPDATE phase SET state = ?, version = ?, due_at = ?, body = ? WHERE id = ? AND version = ?;

-- name: phases_due
SELECT body FROM phase WHERE due_at <= ? ORDER BY due_at, id LIMIT ?;

-- name: next_due
SELECT min(at) FROM (
  SELECT min(due_at) AS at FROM phase WHERE due_at IS NOT NULL
  UNION ALL
  SELECT min(ready_at) AS at FROM outbox WHERE sent = 0
);

-- name: phases_active
SELECT phase.body FROM run INDEXED BY run_running CROSS JOIN phase ON phase.run = run.id
WHERE run.state = 'running' AND run.superseded = 0 AND (:pipeline IS NULL OR run.pipeline = :pipeline)
  AND phase.state IN ('active', 'closing', 'opened')
ORDER BY run.started_at, run.number, phase.idx, phase.id;

-- name: phases_unfinished
SELECT phase.body FROM run INDEXED BY run_running CROSS JOIN phase ON phase.run = run.id
WHERE run.state = 'running' AND run.superseded = 0
  AND phase.state IN ('waiting', 'active', 'closing', 'opened')
ORDER BY run.started_at, run.number, phase.idx, phase.id;

-- name: task
SELECT kinds, body FROM task WHERE phase = ? AND lo = ? AND work = ?;

-- name: task_at
SELECT kinds, body, hi FROM task WHERE phase = ? AND lo <= ? AND work <= 2 ORDER BY lo DESC, work DESC LIMIT 1;

-- name: tasks
SELECT kinds, body FROM task WHERE phase = ? AND lo > ? AND work <= 2 ORDER BY lo, work LIMIT ?;

-- name: tasks_pending
SELECT kinds, body FROM task INDEXED BY task_pending
WHERE phase = ? AND lo > ? AND unsettled > 0 ORDER BY lo, work LIMIT ?;

-- Of the tasks that are always ready, no more than the limit are looked at, in the order of leasing; of those that
-- became ready (a wait or a lease that ended), all.
-- name: tasks_leasable
SELECT task.kinds, task.body FROM (
  SELECT rank, lo, work FROM (
    SELECT rank, lo, work FROM task INDEXED BY task_open
    WHERE phase = :phase AND available_at = :always ORDER BY rank, lo, work LIMIT :limit
  )
  UNION ALL
  SELECT rank, lo, work FROM task INDEXED BY task_open
  WHERE phase = :phase AND available_at > :always AND available_at <= :now
  ORDER BY rank, lo, work LIMIT :limit
) AS ready CROSS JOIN task ON task.phase = :phase AND task.lo = ready.lo AND task.work = ready.work
ORDER BY ready.rank, ready.lo, ready.work;

-- name: tasks_leasable_count
SELECT count(*) FROM task INDEXED BY task_open WHERE phase = ? AND available_at <= ?;

-- name: task_next_ready
SELECT min(available_at) FROM task INDEXED BY task_open WHERE phase = ? AND available_at IS NOT NULL;

-- name: tasks_ready
SELECT run, at FROM (
  SELECT run.id AS run, run.started_at, run.number, phase.idx, phase.id, (
    SELECT min(available_at) FROM task INDEXED BY task_open WHERE task.phase = phase.id AND available_at IS NOT NULL
  ) AS at
  FROM run INDEXED BY run_running CROSS JOIN phase ON phase.run = run.id
  WHERE run.state = 'running' AND run.superseded = 0 AND phase.state IN ('active', 'closing', 'opened')
) WHERE at IS NOT NULL ORDER BY started_at, number, idx, id;

-- name: tasks_leased
SELECT kinds, body FROM task INDEXED BY task_leased
WHERE state = 1 AND (:owner IS NULL OR owner = :owner) ORDER BY phase, lo, work;

-- name: tasks_leased_of_phase
SELECT kinds, body FROM task INDEXED BY task_leased
WHERE state = 1 AND phase = :phase AND (:owner IS NULL OR owner = :owner) ORDER BY lo, work;

-- name: task_add
INSERT INTO task (phase, lo, work, hi, rank, state, token, available_at, owner, unsettled, kinds, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: task_put
UPDATE task SET hi = ?, rank = ?, state = ?, token = ?, available_at = ?, owner = ?, unsettled = ?, kinds = ?, body = ?
WHERE phase = ? AND lo = ? AND work = ? AND token = ?;

-- name: page
SELECT body, lo + n FROM page INDEXED BY page_lo WHERE phase = ? AND lo <= ? AND n > 0 ORDER BY lo DESC, number DESC LIMIT 1;

-- name: pages
SELECT body FROM page WHERE phase = ? AND number > ? ORDER BY number LIMIT ?;

-- name: page_add
INSERT INTO page (phase, number, lo, n, body) VALUES (?, ?, ?, ?, ?);

-- name: name
SELECT hash, ordinal FROM item_name WHERE phase = ? AND hash = ?;

-- name: names
SELECT hash, ordinal FROM item_name WHERE phase = ? AND hash IN (
  ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
  ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
);

-- name: name_add
INSERT INTO item_name (phase, hash, ordinal) VALUES (?, ?, ?) ON CONFLICT (phase, hash) DO NOTHING;

-- name: opening
SELECT body FROM opening WHERE phase = ?;

-- name: opening_add
INSERT INTO opening (phase, body) VALUES (?, ?);

-- name: entries
SELECT id, kind, scope, phase, member, at, digest, body FROM entry
WHERE kind = :kind AND scope = :scope AND (:phase IS NULL OR phase = :phase) AND (:member IS NULL OR member = :member)
ORDER BY at, id LIMIT :limit;

-- name: entries_of_member
SELECT id, kind, scope, phase, member, at, digest, body FROM entry INDEXED BY entry_member
WHERE kind = :kind AND scope = :scope AND member = :member AND member <> '' AND (:phase IS NULL OR phase = :phase)
ORDER BY at, id LIMIT :limit;

-- name: entries_count
SELECT count(*) FROM entry WHERE kind = :kind AND scope >= :prefix AND scope < :prefix || char(1114111);

-- name: entry_add
INSERT INTO entry (id, kind, scope, phase, member, at, digest, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?);

-- name: entry_remove
DELETE FROM entry WHERE id = ?;

-- name: entries_purge
DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE kind = ? AND at < ? ORDER BY at, id LIMIT ?);

-- name: tallies
SELECT name, number FROM tally WHERE scope = ? ORDER BY name;

-- name: tally_add
INSERT INTO tally (scope, name, number) VALUES (?, ?, ?)
ON CONFLICT (scope, name) DO UPDATE SET number = number + excluded.number;

-- name: outbox_add
INSERT INTO outbox (number, key, route, run, sent, created_at, ready_at, attempts, error, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING;

-- name: outbox_ready
SELECT number, key, route, run, sent, created_at, ready_at, attempts, error, body FROM outbox
WHERE sent = 0 AND ready_at <= ? AND (? IS NULL OR route IN (SELECT value FROM json_each(?)))
ORDER BY created_at, number LIMIT ?;

-- name: outbox_routes
SELECT DISTINCT route FROM outbox WHERE sent = 0 AND ready_at <= ?;

-- name: outbox_hide
UPDATE outbox SET ready_at = ? WHERE key = ?;

-- name: outbox_sent
UPDATE outbox SET sent = 1 WHERE key = ? AND sent = 0;

-- name: outbox_unsent
UPDATE outbox SET attempts = attempts + 1, ready_at = ?, error = ? WHERE key = ? AND sent = 0;

-- name: halts
SELECT scope, since, until, actor, reason FROM halt ORDER BY since, scope;

-- name: halt_put
INSERT INTO halt (scope, since, until, actor, reason) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (since, scope) DO UPDATE SET until = excluded.until, actor = excluded.actor, reason = excluded.reason;

-- name: flags
SELECT body FROM flag ORDER BY name;

-- name: flag_put
UPDATE flag SET version = ?, body = ? WHERE name = ? AND version = ?;

-- name: flag_add
INSERT INTO flag (name, version, body) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING;

-- name: processes
SELECT body FROM process ORDER BY name;

-- name: process_put
INSERT INTO process (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body;

-- name: process_remove
DELETE FROM process WHERE name = ?;

-- name: begin
BEGIN IMMEDIATE;

-- name: begin_read
BEGIN;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- name: job_begin
SAVEPOINT job;

-- name: job_undo
ROLLBACK TO job;

-- name: job_end
RELEASE job;

-- name: whole_begin
SAVEPOINT whole;

-- name: whole_undo
ROLLBACK TO whole;

-- name: whole_end
RELEASE whole;

-- name: application
PRAGMA application_id;

-- name: release
PRAGMA user_version;

-- name: tables
SELECT count(*) FROM sqlite_master;

-- name: data_version
PRAGMA data_version;

-- name: set_journal
PRAGMA journal_mode = WAL;

-- name: set_synchronous
PRAGMA synchronous = FULL;

-- name: set_foreign_keys
PRAGMA foreign_keys = ON;

-- name: dump_run
SELECT * FROM run ORDER BY number;

-- name: dump_plan
SELECT * FROM plan ORDER BY run;

-- name: dump_phase
SELECT * FROM phase ORDER BY id;

-- name: dump_page
SELECT * FROM page ORDER BY phase, number;

-- name: dump_item_name
SELECT * FROM item_name ORDER BY phase, hash;

-- name: dump_task
SELECT * FROM task ORDER BY phase, lo, work;

-- name: dump_opening
SELECT * FROM opening ORDER BY phase;

-- name: dump_entry
SELECT * FROM entry ORDER BY id;

-- name: dump_tally
SELECT * FROM tally ORDER BY scope, name;

-- name: dump_outbox
SELECT * FROM outbox ORDER BY number;

-- name: dump_halt
SELECT * FROM halt ORDER BY since, scope;

-- name: dump_flag
SELECT name, version, body FROM flag ORDER BY name;

-- name: dump_process
SELECT * FROM process ORDER BY name;
