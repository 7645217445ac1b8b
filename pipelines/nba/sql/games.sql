-- The day's games. Where the log reaches the day, a game that only the schedule has was moved, and is left out.
CREATE OR REPLACE TEMP TABLE games AS
WITH log AS (
  SELECT game_id, bool_or(at_home) AS at_home,
    coalesce(min(team) FILTER (at_home), min(team)) AS home_team, coalesce(min(team_id) FILTER (at_home), min(team_id)) AS home_id,
    coalesce(max(team) FILTER (NOT at_home), max(opponent)) AS away_team, max(team_id) FILTER (NOT at_home) AS away_id
  FROM read_parquet($boxes)
  WHERE game_date = $day AND unfit_identity IS NULL
  GROUP BY game_id
),
planned AS (SELECT * FROM read_parquet($schedule) WHERE game_date = $day AND reason IS NULL)
SELECT
  game_id, $day::DATE AS game_date,
  CASE WHEN log.at_home OR planned.game_id IS NULL THEN log.home_team ELSE planned.home_team END AS home_team,
  CASE WHEN log.at_home OR planned.game_id IS NULL THEN log.away_team ELSE planned.away_team END AS away_team,
  CASE WHEN log.at_home OR planned.game_id IS NULL THEN log.home_id ELSE planned.home_id END AS home_id,
  CASE WHEN log.at_home OR planned.game_id IS NULL THEN log.away_id ELSE planned.away_id END AS away_id,
  log.game_id IS NOT NULL AND NOT log.at_home AS neutral,
  CASE WHEN planned.game_id IS NULL THEN 'log' WHEN log.game_id IS NULL THEN 'schedule' ELSE 'log and schedule' END AS basis,
  planned.tip_utc
FROM log FULL JOIN planned USING (game_id)
WHERE log.game_id IS NOT NULL OR NOT EXISTS (FROM log)
ORDER BY game_id
