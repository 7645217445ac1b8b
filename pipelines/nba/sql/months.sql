-- The months of the files.
SELECT DISTINCT date_trunc('month', game_date)::DATE AS month FROM read_parquet($features) ORDER BY month
