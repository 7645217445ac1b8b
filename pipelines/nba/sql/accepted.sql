-- How many rows of a source are used.
SELECT count(*) FROM read_parquet($file) WHERE reason IS NULL
