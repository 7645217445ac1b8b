-- The games the schedule has for the day.
SELECT game_id FROM read_parquet($schedule) WHERE game_date = $day AND reason IS NULL ORDER BY game_id
