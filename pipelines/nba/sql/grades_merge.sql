-- The graded day's rows.
INSERT INTO grades SELECT $mode, * FROM read_parquet($file) WHERE outcome IS NOT NULL
