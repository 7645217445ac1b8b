-- What players did in the first game known of them: all that can be said of one without a game. Those who came when
-- games had been known for a month are truly new; the others are asked only where there is nobody else.
WITH first_games AS (
  SELECT minutes, points, rebounds, assists, game_date > min(game_date) OVER () + 30 AS new,
    row_number() OVER (PARTITION BY player_id ORDER BY game_date, game_id) AS game
  FROM read_parquet($games)
  WHERE game_date < $day
)
SELECT
  count(*),
  coalesce(avg(minutes) FILTER (new), avg(minutes)), coalesce(avg(points) FILTER (new), avg(points)),
  coalesce(avg(rebounds) FILTER (new), avg(rebounds)), coalesce(avg(assists) FILTER (new), avg(assists))
FROM first_games
WHERE game = 1
