-- The season to date as it is told on the screen.
SELECT stat, system, n, mae, bias, coverage FROM read_parquet($file)
