-- The rows of a file, as they stand in it.
SELECT * FROM read_parquet($file)
