-- The last day the schedule knows.
SELECT max(game_date) FROM read_parquet($schedule) WHERE reason IS NULL
