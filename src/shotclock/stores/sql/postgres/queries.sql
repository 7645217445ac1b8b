-- Every statement of the PostgreSQL store, by name. Rows that go in together come as one array for each column. The
-- answer to a write that may be refused is how many rows it changed: none of them raises in a transaction at work.

-- name: run
SELECT body FROM run WHERE id = %s;

-- name: run_newest
SELECT body FROM run WHERE pipeline = %s AND mode = %s AND key = %s ORDER BY generation DESC LIMIT 1;

-- name: run_before
SELECT body FROM run WHERE pipeline = %s AND mode = %s AND key < %s ORDER BY key DESC, generation DESC LIMIT 1;

-- name: runs
SELECT body FROM run
WHERE (%(pipeline)s::text IS NULL OR pipeline = %(pipeline)s::text)
  AND (%(state)s::text IS NULL OR state = %(state)s::text)
  AND (superseded = 0 OR %(superseded)s::boolean)
ORDER BY started_at DESC, number DESC LIMIT %(limit)s;

-- name: run_add
INSERT INTO run (number, id, pipeline, mode, key, generation, state, superseded, started_at, body)
SELECT coalesce(max(number), 0) + 1, %s, %s, %s, %s, %s, %s, %s, %s, %s FROM run;

-- name: run_put
UPDATE run SET pipeline = %s, mode = %s, key = %s, generation = %s, state = %s, superseded = %s, started_at = %s,
  body = %s
WHERE id = %s;

-- name: plan
SELECT body FROM plan WHERE run = %s;

-- name: plan_add
INSERT INTO plan (run, body) VALUES (%s, %s);

-- name: phase
SELECT body FROM phase WHERE id = %s;

-- name: phase_of
SELECT body FROM phase WHERE run = %s AND name = %s;

-- name: upstream
SELECT phase.body, opening.body, ended.body, members.kinds, members.bodies
FROM phase CROSS JOIN LATERAL (SELECT coalesce((phase.body::json ->> 'source')::bigint, phase.id) AS id) AS facts
LEFT JOIN opening ON opening.phase = facts.id
LEFT JOIN task AS ended ON ended.phase = facts.id AND ended.lo = 0 AND ended.work = 4
CROSS JOIN LATERAL (
  SELECT coalesce(array_agg(kinds ORDER BY lo, work), '{}') AS kinds,
    coalesce(array_agg(body ORDER BY lo, work), '{}') AS bodies
  FROM (
    SELECT kinds, body, lo, work FROM task WHERE phase = facts.id AND work <= 2 ORDER BY lo, work LIMIT %s
  ) AS first
) AS members
WHERE phase.run = %s AND phase.name = %s;

-- name: phases
SELECT body FROM phase WHERE run = %s ORDER BY idx, id;

-- name: phase_last
SELECT coalesce(max(id), 0) FROM phase;

-- name: phase_add
INSERT INTO phase (id, run, name, idx, state, version, due_at, body)
SELECT * FROM unnest(
  %b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::bigint[], %b::bigint[], %b::text[]
);

-- name: phase_put
UPDATE phase SET state = %s, version = %s, due_at = %s, body = %s WHERE id = %s AND version = %s;

-- One that was read in the same transaction; should it not be there, nothing of the transaction is.
-- name: phase_put_read
WITH put AS (
  UPDATE phase SET state = %s, version = %s, due_at = %s, body = %s WHERE id = %s AND version = %s RETURNING 1
)
SELECT 1 / count(*) FROM put;

-- name: phases_due
SELECT body FROM phase WHERE due_at <= %s ORDER BY due_at, id LIMIT %s;

-- name: next_due
SELECT least(
  (SELECT min(due_at) FROM phase WHERE due_at IS NOT NULL),
  (SELECT min(ready_at) FROM outbox WHERE sent = 0)
);

-- With what whoever asks for it asks next: their runs, and all halts, as one list for all rows.
-- name: phases_active
SELECT phase.body, run.body,
  (SELECT json_agg(json_build_array(scope, since, until, actor, reason) ORDER BY since, scope) FROM halt)::text
FROM run JOIN phase ON phase.run = run.id
WHERE run.state = 'running' AND run.superseded = 0
  AND (%(pipeline)s::text IS NULL OR run.pipeline = %(pipeline)s::text)
  AND phase.state IN ('active', 'closing', 'opened')
ORDER BY run.started_at, run.number, phase.idx, phase.id;

-- name: phases_unfinished
SELECT phase.body FROM run JOIN phase ON phase.run = run.id
WHERE run.state = 'running' AND run.superseded = 0
  AND phase.state IN ('waiting', 'active', 'closing', 'opened')
ORDER BY run.started_at, run.number, phase.idx, phase.id;

-- name: task
SELECT kinds, body FROM task WHERE phase = %s AND lo = %s AND work = %s;

-- name: task_at
SELECT kinds, body, hi FROM task WHERE phase = %s AND lo <= %s AND work <= 2 ORDER BY lo DESC, work DESC LIMIT 1;

-- name: tasks
SELECT kinds, body FROM task WHERE phase = %s AND lo > %s AND work <= 2 ORDER BY lo, work LIMIT %s;

-- name: tasks_pending
SELECT kinds, body FROM task WHERE phase = %s AND lo > %s AND unsettled > 0 ORDER BY lo, work LIMIT %s;

-- Of the tasks that are always ready, no more than the limit are looked at, in the order of leasing; of those that
-- became ready (a wait or a lease that ended), all.
-- name: tasks_leasable
SELECT task.kinds, task.body FROM (
  SELECT rank, lo, work FROM (
    (
      SELECT rank, lo, work FROM task
      WHERE phase = %(phase)s AND available_at = %(always)s ORDER BY rank, lo, work LIMIT %(limit)s
    )
    UNION ALL
    SELECT rank, lo, work FROM task
    WHERE phase = %(phase)s AND available_at > %(always)s AND available_at <= %(now)s
  ) AS found
  ORDER BY rank, lo, work LIMIT %(limit)s
) AS ready JOIN task ON task.phase = %(phase)s AND task.lo = ready.lo AND task.work = ready.work
ORDER BY ready.rank, ready.lo, ready.work;

-- name: tasks_leasable_count
SELECT count(*) FROM task WHERE phase = %s AND available_at <= %s;

-- name: task_next_ready
SELECT min(available_at) FROM task WHERE phase = %s AND available_at IS NOT NULL;

-- name: tasks_ready
SELECT run.id, ready.at FROM run JOIN phase ON phase.run = run.id CROSS JOIN LATERAL (
  SELECT min(available_at) AS at FROM task WHERE task.phase = phase.id AND available_at IS NOT NULL
) AS ready
WHERE run.state = 'running' AND run.superseded = 0 AND phase.state IN ('active', 'closing', 'opened')
  AND ready.at IS NOT NULL
ORDER BY run.started_at, run.number, phase.idx, phase.id;

-- name: tasks_leased
SELECT kinds, body FROM task
WHERE state = 1 AND (%(owner)s::text IS NULL OR owner = %(owner)s::text) ORDER BY phase, lo, work;

-- name: tasks_leased_of_phase
SELECT kinds, body FROM task
WHERE state = 1 AND phase = %(phase)s AND (%(owner)s::text IS NULL OR owner = %(owner)s::text) ORDER BY lo, work;

-- All or none: nothing is added if a phase is missing or one is there already.
-- name: task_add
WITH new AS (
  SELECT * FROM unnest(
    %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],
    %b::text[], %b::bigint[], %b::bytea[], %b::text[]
  ) AS t (phase, lo, work, hi, rank, state, token, available_at, owner, unsettled, kinds, body)
), unfit AS (
  SELECT FROM new
  WHERE NOT EXISTS (SELECT FROM phase WHERE phase.id = new.phase)
    OR EXISTS (SELECT FROM task WHERE (task.phase, task.lo, task.work) = (new.phase, new.lo, new.work))
)
INSERT INTO task (phase, lo, work, hi, rank, state, token, available_at, owner, unsettled, kinds, body)
SELECT * FROM new WHERE NOT EXISTS (SELECT FROM unfit);

-- Which of the new ones cannot be added, in order: those without a phase, and those that are there.
-- name: task_unfit
SELECT EXISTS (SELECT FROM phase WHERE phase.id = new.phase),
  EXISTS (SELECT FROM task WHERE (task.phase, task.lo, task.work) = (new.phase, new.lo, new.work))
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[]) WITH ORDINALITY AS new (phase, lo, work, place)
ORDER BY new.place;

-- name: task_tokens
SELECT task.phase, task.lo, task.work, task.token
FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[]) AS wanted (phase, lo, work) JOIN task USING (phase, lo, work);

-- All or none: nothing is replaced unless each stored token is the one given.
-- name: task_put
WITH new AS (
  SELECT * FROM unnest(
    %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],
    %b::text[], %b::bigint[], %b::bytea[], %b::text[], %b::bigint[]
  ) AS t (phase, lo, work, hi, rank, state, token, available_at, owner, unsettled, kinds, body, was)
), stale AS (
  SELECT FROM new WHERE NOT EXISTS (
    SELECT FROM task
    WHERE (task.phase, task.lo, task.work) = (new.phase, new.lo, new.work) AND task.token = new.was
  )
)
UPDATE task SET hi = new.hi, rank = new.rank, state = new.state, token = new.token, available_at = new.available_at,
  owner = new.owner, unsettled = new.unsettled, kinds = new.kinds, body = new.body
FROM new
WHERE (task.phase, task.lo, task.work) = (new.phase, new.lo, new.work) AND NOT EXISTS (SELECT FROM stale);

-- name: task_put_one
UPDATE task SET hi = %s, rank = %s, state = %s, token = %s, available_at = %s, owner = %s, unsettled = %s, kinds = %b,
  body = %s
WHERE phase = %s AND lo = %s AND work = %s AND token = %s;

-- Tasks that were read in the same transaction; should one not be there, nothing of the transaction is.
-- name: task_put_read
WITH new AS (
  SELECT * FROM unnest(
    %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],
    %b::text[], %b::bigint[], %b::bytea[], %b::text[], %b::bigint[]
  ) AS t (phase, lo, work, hi, rank, state, token, available_at, owner, unsettled, kinds, body, was)
), put AS (
  UPDATE task SET hi = new.hi, rank = new.rank, state = new.state, token = new.token, available_at = new.available_at,
    owner = new.owner, unsettled = new.unsettled, kinds = new.kinds, body = new.body
  FROM new WHERE (task.phase, task.lo, task.work) = (new.phase, new.lo, new.work) AND task.token = new.was
  RETURNING 1
)
SELECT 1 / (count(*) = (SELECT count(*) FROM new))::integer FROM put;

-- name: task_put_one_read
WITH put AS (
  UPDATE task SET hi = %s, rank = %s, state = %s, token = %s, available_at = %s, owner = %s, unsettled = %s,
    kinds = %b, body = %s
  WHERE phase = %s AND lo = %s AND work = %s AND token = %s RETURNING 1
)
SELECT 1 / count(*) FROM put;

-- name: page
SELECT body, lo + n FROM page WHERE phase = %s AND lo <= %s AND n > 0 ORDER BY lo DESC, number DESC LIMIT 1;

-- name: pages
SELECT body FROM page WHERE phase = %s AND number > %s ORDER BY number LIMIT %s;

-- name: page_add
INSERT INTO page (phase, number, lo, n, body)
SELECT id, %s, %s, %s, %s FROM phase WHERE id = %s ON CONFLICT (phase, number) DO NOTHING;

-- name: page_remove
DELETE FROM page WHERE phase = %s AND number = %s;

-- name: names
SELECT hash, ordinal FROM item_name WHERE phase = %s AND hash = ANY (%b::bytea[]);

-- name: name_add
INSERT INTO item_name (phase, hash, ordinal)
SELECT %s, * FROM unnest(%b::bytea[], %b::bigint[]) ON CONFLICT (phase, hash) DO NOTHING;

-- name: opening
SELECT body FROM opening WHERE phase = %s;

-- name: opening_add
INSERT INTO opening (phase, body) VALUES (%s, %s);

-- name: entries
SELECT id, kind, scope, phase, member, at, digest, body FROM entry
WHERE kind = %(kind)s AND scope = %(scope)s AND (%(phase)s::text IS NULL OR phase = %(phase)s::text)
  AND (%(member)s::text IS NULL OR member = %(member)s::text)
ORDER BY at, id LIMIT %(limit)s;

-- name: entries_of_member
SELECT id, kind, scope, phase, member, at, digest, body FROM entry
WHERE kind = %(kind)s AND scope = %(scope)s AND hashtextextended(member, 0) = hashtextextended(%(member)s::text, 0)
  AND member = %(member)s AND member <> '' AND (%(phase)s::text IS NULL OR phase = %(phase)s::text)
ORDER BY at, id LIMIT %(limit)s;

-- name: entries_count
SELECT count(*) FROM entry
WHERE kind = %(kind)s AND scope >= %(prefix)s AND scope < (%(prefix)s::text || chr(1114111)) COLLATE "C";

-- name: entry_last
SELECT entries FROM ledger;

-- name: entry_add
INSERT INTO entry (id, kind, scope, phase, member, at, digest, body) VALUES (%s, %s, %s, %s, %s, %s, %s, %s);

-- name: entry_remove
DELETE FROM entry WHERE id = ANY(%b::bigint[]);

-- name: entries_purge
DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE kind = %s AND at < %s ORDER BY at, id LIMIT %s);

-- name: tallies
SELECT name, number FROM tally WHERE scope = %s ORDER BY name;

-- name: tally_add
INSERT INTO tally (scope, name, number, hash) VALUES (%s, %s, %s, %b)
ON CONFLICT (scope, hash) DO UPDATE SET number = tally.number + excluded.number;

-- name: outbox_add
INSERT INTO outbox (number, key, route, run, sent, created_at, ready_at, attempts, error, body, hash)
SELECT coalesce(max(number), 0) + 1, %s, %s, %s, %s, %s, %s, %s, %s, %s, %b FROM outbox ON CONFLICT (hash) DO NOTHING;

-- name: outbox_ready
SELECT number, key, route, run, sent, created_at, ready_at, attempts, error, body FROM outbox
WHERE sent = 0 AND ready_at <= %s AND (%s::text[] IS NULL OR route = ANY(%s::text[]))
ORDER BY created_at, number LIMIT %s;

-- name: outbox_routes
SELECT DISTINCT route FROM outbox WHERE sent = 0 AND ready_at <= %s;

-- name: outbox_hide
UPDATE outbox SET ready_at = %s WHERE hash = ANY(%b::bytea[]);

-- name: outbox_sent
UPDATE outbox SET sent = 1 WHERE hash = ANY(%b::bytea[]) AND sent = 0;

-- name: outbox_unsent
UPDATE outbox SET attempts = attempts + 1, ready_at = %s, error = %s WHERE hash = %b AND sent = 0;

-- name: halts
SELECT scope, since, until, actor, reason FROM halt ORDER BY since, scope;

-- name: halt_put
INSERT INTO halt (scope, since, until, actor, reason) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (since, scope) DO UPDATE SET until = excluded.until, actor = excluded.actor, reason = excluded.reason;

-- name: flags
SELECT body FROM flag ORDER BY name;

-- name: flag_put
UPDATE flag SET version = %s, body = %s WHERE name = %s AND version = %s;

-- name: flag_add
INSERT INTO flag (name, version, body) VALUES (%s, %s, %s) ON CONFLICT (name) DO NOTHING;

-- name: processes
SELECT body FROM process ORDER BY name;

-- name: process_put
INSERT INTO process (name, body) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET body = excluded.body;

-- name: process_remove
DELETE FROM process WHERE name = ANY(%s);

-- Where names without a schema are looked for: in the store's, or where the user's tables are.
-- name: path
SELECT current_setting('search_path');

-- name: path_default
SET LOCAL search_path TO DEFAULT;

-- name: path_put
SELECT set_config('search_path', %s, true);

-- What begins a group of writes goes with its first question, and what makes it durable with the commit.
-- name: begin
BEGIN ISOLATION LEVEL READ COMMITTED;

-- name: take_lock
SELECT pg_advisory_xact_lock(%s);

-- name: count
UPDATE ledger SET commits = commits + 1, entries = coalesce(%s, entries);

-- name: sign
INSERT INTO writer (name, last) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET last = excluded.last, at = now();

-- name: ring
SELECT pg_notify(%s, %s);

-- name: commit
COMMIT;

-- name: finished
SELECT last FROM writer WHERE name = %s;

-- name: writers_purge
DELETE FROM writer WHERE at < now() - %s::interval;

-- name: begin_read
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: rollback
ROLLBACK;

-- name: job_begin
SAVEPOINT job;

-- name: job_end
RELEASE job;

-- name: job_undo
ROLLBACK TO job;

-- name: commits
SELECT commits FROM ledger;

-- name: lock
SELECT pg_advisory_xact_lock(%s), set_config('statement_timeout', '0', true);

-- name: loaded
UPDATE ledger SET commits = commits + 1, entries = %s;

-- name: load_run
INSERT INTO run SELECT * FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],
  %b::text[], %b::bigint[], %b::bigint[], %b::text[]);

-- name: load_plan
INSERT INTO plan SELECT * FROM unnest(%b::text[], %b::text[]);

-- name: load_phase
INSERT INTO phase SELECT * FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::bigint[],
  %b::bigint[], %b::text[]);

-- name: load_page
INSERT INTO page SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::text[]);

-- name: load_item_name
INSERT INTO item_name SELECT * FROM unnest(%b::bigint[], %b::bytea[], %b::bigint[]);

-- name: load_task
INSERT INTO task SELECT * FROM unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[], %b::bigint[],
  %b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::bigint[], %b::bytea[], %b::text[]);

-- name: load_opening
INSERT INTO opening SELECT * FROM unnest(%b::bigint[], %b::text[]);

-- name: load_entry
INSERT INTO entry SELECT * FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],
  %b::text[], %b::text[]);

-- name: load_tally
INSERT INTO tally SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::bytea[]);

-- name: load_outbox
INSERT INTO outbox SELECT * FROM unnest(%b::bigint[], %b::text[], %b::text[], %b::text[], %b::bigint[], %b::bigint[],
  %b::bigint[], %b::bigint[], %b::text[], %b::text[], %b::bytea[]);

-- name: load_halt
INSERT INTO halt SELECT * FROM unnest(%b::text[], %b::bigint[], %b::bigint[], %b::text[], %b::text[]);

-- name: load_flag
INSERT INTO flag SELECT * FROM unnest(%b::text[], %b::bigint[], %b::text[]);

-- name: load_process
INSERT INTO process SELECT * FROM unnest(%b::text[], %b::text[]);

-- name: dump_run
SELECT number, id, pipeline, mode, key, generation, state, superseded, started_at, body FROM run ORDER BY number;

-- name: dump_plan
SELECT run, body FROM plan ORDER BY run;

-- name: dump_phase
SELECT id, run, name, idx, state, version, due_at, body FROM phase ORDER BY id;

-- name: dump_page
SELECT phase, number, lo, n, body FROM page ORDER BY phase, number;

-- name: dump_item_name
SELECT phase, hash, ordinal FROM item_name ORDER BY phase, hash;

-- name: dump_task
SELECT phase, lo, work, hi, rank, state, token, available_at, owner, unsettled, kinds, body FROM task
ORDER BY phase, lo, work;

-- name: dump_opening
SELECT phase, body FROM opening ORDER BY phase;

-- name: dump_entry
SELECT id, kind, scope, phase, member, at, digest, body FROM entry ORDER BY id;

-- name: dump_tally
SELECT scope, name, number FROM tally ORDER BY scope, name;

-- name: dump_outbox
SELECT number, key, route, run, sent, created_at, ready_at, attempts, error, body FROM outbox ORDER BY number;

-- name: dump_halt
SELECT scope, since, until, actor, reason FROM halt ORDER BY since, scope;

-- name: dump_flag
SELECT name, version, body FROM flag ORDER BY name;

-- name: dump_process
SELECT name, body FROM process ORDER BY name;
