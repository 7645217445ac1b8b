-- How far outcomes lay from predictions on the days graded so far.
SELECT stat, system, level, misses, quantiles FROM read_parquet($file)
