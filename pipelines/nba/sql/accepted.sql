-- How many rows of a source are used, and how many are not.
SELECT (SELECT count(*) FROM read_parquet($file)) - refused.n, refused.n
FROM (SELECT count(*) AS n FROM read_parquet($rejected)) AS refused
