-- Which day was graded, how many players, and how many of them did not play.
SELECT max(game_date), count(DISTINCT player_id), count(DISTINCT player_id) FILTER (outcome IS NULL) FROM read_parquet($file)
