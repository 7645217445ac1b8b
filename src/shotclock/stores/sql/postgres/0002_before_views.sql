-- Views for reports and dashboards: reading alone, times as timestamps, names as the commands use them. They show no
-- names of items: those are in the pages, and `shotclock missing` reads them.

CREATE VIEW runs AS
SELECT id, pipeline, mode, key, generation, state, superseded = 1 AS superseded,
  timestamptz 'epoch' + started_at * interval '1 microsecond' AS started_at,
  (body::json ->> 'ended_at')::timestamptz AS ended_at,
  body::json ->> 'reason' AS reason,
  coalesce(body::json ->> 'cause', 'started') AS cause
FROM run;

COMMENT ON VIEW runs IS 'A row for each generation of a run.';

CREATE VIEW phases AS
SELECT id, run, name, idx AS place, state, version,
  timestamptz 'epoch' + due_at * interval '1 microsecond' AS due_at,
  (body::json ->> 'started_at')::timestamptz AS started_at,
  (body::json ->> 'first_at')::timestamptz AS first_at,
  (body::json ->> 'progress_at')::timestamptz AS progress_at,
  body::json -> 'mark' ->> 'kind' AS mark,
  body::json -> 'mark' ->> 'reason' AS mark_reason
FROM phase;

COMMENT ON VIEW phases IS 'A row for each phase of a run; place is its order in the pipeline file.';

CREATE VIEW settlements AS
SELECT phase.run, phase.name AS phase, tier.importance, kind.kind,
  coalesce((phase.body::json -> 'counts' -> tier.importance ->> kind.kind)::bigint, 0) AS members
FROM phase
CROSS JOIN (VALUES ('critical'), ('required'), ('optional')) AS tier (importance)
CROSS JOIN (
  VALUES ('pending'), ('succeeded'), ('empty'), ('skipped'), ('failed'), ('timed_out'), ('abandoned'), ('suspect'),
    ('withdrawn')
) AS kind (kind)
WHERE (phase.body::json -> 'counts' -> tier.importance ->> kind.kind)::bigint > 0;

COMMENT ON VIEW settlements IS 'How many members of a phase stand how, by importance; what is zero has no row.';

CREATE VIEW missing AS
SELECT run, phase,
  sum(members) FILTER (WHERE kind = 'pending') AS pending,
  sum(members) FILTER (WHERE kind IN ('failed', 'timed_out', 'abandoned', 'suspect')) AS unsatisfied
FROM settlements
WHERE kind IN ('pending', 'failed', 'timed_out', 'abandoned', 'suspect')
GROUP BY run, phase;

COMMENT ON VIEW missing IS 'The phases that lack members, and how many.';

CREATE VIEW openings AS
SELECT phase.run, phase.name AS phase, opening.body::json ->> 'reason' AS reason,
  coalesce((opening.body::json ->> 'partial')::boolean, false) AS partial,
  coalesce((opening.body::json ->> 'roll_incomplete')::boolean, false) AS roll_incomplete,
  (opening.body::json ->> 'at')::timestamptz AS opened_at,
  (opening.body::json ->> 'closed_at')::timestamptz AS closed_at
FROM opening JOIN phase ON phase.id = opening.phase;

COMMENT ON VIEW openings IS 'How and when each phase opened.';

CREATE VIEW backlog AS
SELECT phase.run, phase.name AS phase,
  count(*) FILTER (WHERE task.state = 0) AS queued,
  count(*) FILTER (WHERE task.state = 1) AS leased,
  sum(task.unsettled) AS members
FROM task JOIN phase ON phase.id = task.phase
WHERE task.available_at IS NOT NULL
GROUP BY phase.run, phase.name;

COMMENT ON VIEW backlog IS 'Tasks that wait or are worked on, and the members that have not settled in them.';

CREATE VIEW processes AS
SELECT name, body::json ->> 'host' AS host, (body::json ->> 'pid')::bigint AS pid,
  (body::json ->> 'started_at')::timestamptz AS started_at, (body::json ->> 'beat_at')::timestamptz AS beat_at,
  body::json ->> 'version' AS version
FROM process;

COMMENT ON VIEW processes IS 'The processes that work on the store, and their last sign of life.';
