-- Where the card comes from, which games of the schedule are not played that day, and which it did not know.
SELECT
  string_agg(DISTINCT basis, ', ' ORDER BY basis),
  (SELECT coalesce(list(game_id ORDER BY game_id), []) FROM read_parquet($schedule)
   WHERE game_date = $day AND reason IS NULL AND game_id NOT IN (SELECT game_id FROM read_parquet($games))),
  coalesce(list(game_id ORDER BY game_id) FILTER (basis = 'log' AND EXISTS (FROM read_parquet($schedule))), [])
FROM read_parquet($games)
