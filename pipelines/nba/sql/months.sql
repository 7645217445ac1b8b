-- The months of the files.
SELECT DISTINCT date_trunc('month', game_date)::DATE AS month FROM every ORDER BY month
