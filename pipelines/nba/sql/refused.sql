-- The rows of a source that are left out: where they stand, whose they are, and why.
SELECT $source AS source, line, reason, entity FROM read_parquet($file) WHERE reason IS NOT NULL ORDER BY line
