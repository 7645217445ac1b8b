-- Which days the files cover, and of the usable rows up to the day: how many, those of the day, those of who did not play.
SELECT
  min(game_date), max(game_date), count(*) FILTER (game_date <= $day), count(*) FILTER (game_date = $day),
  count(*) FILTER (game_date < $day AND NOT played)
FROM read_parquet($boxes)
WHERE unfit_identity IS NULL
