-- Which days a file covers.
SELECT min(game_date), max(game_date) FROM read_parquet($boxes) WHERE unfit_identity IS NULL
