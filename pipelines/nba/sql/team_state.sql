-- Every team's offence, defence and pace after each of its games: points for and against in 100 possessions, over 25 games.
WITH sides AS (
  SELECT season, game_date, game_id, team_id, team, any_value(opponent) AS opponent, sum(points) AS points,
    sum(field_goals_tried) + 0.44 * sum(free_throws_tried) - sum(offensive_rebounds) + sum(turnovers) AS possessions
  FROM read_parquet($games)
  GROUP BY ALL
),
games AS (
  SELECT own.*, other.points AS allowed, (own.possessions + other.possessions) / 2 AS pace
  FROM sides AS own JOIN sides AS other ON own.game_id = other.game_id AND own.team_id <> other.team_id
),
lists AS (
  SELECT *,
    list((100 * points / nullif(pace, 0))::DOUBLE) OVER lately AS offence,
    list((100 * allowed / nullif(pace, 0))::DOUBLE) OVER lately AS defence,
    list(pace::DOUBLE) OVER lately AS paces
  FROM games
  WINDOW lately AS (PARTITION BY team_id ORDER BY game_date, game_id ROWS 24 PRECEDING)
)
SELECT team_id, game_date, team, list_avg(offence) AS offence, list_avg(defence) AS defence, list_avg(paces) AS pace
FROM lists
ORDER BY team_id, game_date
