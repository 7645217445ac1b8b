-- What players did in the first game known of them: all that can be said of one without a game. Those who are not truly
-- new are asked only where there is nobody else.
SELECT
  count(*),
  coalesce(avg(minutes) FILTER (new), avg(minutes)), coalesce(avg(points) FILTER (new), avg(points)),
  coalesce(avg(rebounds) FILTER (new), avg(rebounds)), coalesce(avg(assists) FILTER (new), avg(assists))
FROM read_parquet($debuts)
WHERE game_date < $day
