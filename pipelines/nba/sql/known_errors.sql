-- Each system's error of the days graded so far.
SELECT stat, system, mae FROM read_parquet($file)
