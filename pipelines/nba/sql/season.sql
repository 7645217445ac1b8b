-- The season the day belongs to.
SELECT max(season_id) FROM read_parquet($card)
