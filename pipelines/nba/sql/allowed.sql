-- What every team allows the players of a position in a minute, over its last 20 games.
WITH games AS (
  SELECT opponent AS team, coalesce(position, 'F') AS position, game_date, game_id, sum(minutes) AS minutes,
    sum(points) AS points, sum(rebounds) AS rebounds, sum(assists) AS assists
  FROM read_parquet($games)
  GROUP BY ALL
)
SELECT team, position, game_date,
  sum(points) OVER lately / nullif(sum(minutes) OVER lately, 0) AS points,
  sum(rebounds) OVER lately / nullif(sum(minutes) OVER lately, 0) AS rebounds,
  sum(assists) OVER lately / nullif(sum(minutes) OVER lately, 0) AS assists
FROM games
WINDOW lately AS (PARTITION BY team, position ORDER BY game_date, game_id ROWS 19 PRECEDING)
ORDER BY team, position, game_date
