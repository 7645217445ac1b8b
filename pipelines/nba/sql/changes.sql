-- Rows by key in two editions of a source: how many are new, have other values, are gone. A row may move to another line.
WITH
before AS (SELECT {keys}, hash(kept) AS said FROM (SELECT * EXCLUDE (line) FROM read_parquet($before) WHERE {any} AND reason IS NULL) AS kept),
after AS (SELECT {keys}, hash(kept) AS said FROM (SELECT * EXCLUDE (line) FROM read_parquet($after) WHERE reason IS NULL) AS kept)
SELECT
  count(*) FILTER (before.said IS NULL),
  count(*) FILTER (before.said IS NOT NULL AND after.said IS NOT NULL AND before.said <> after.said),
  count(*) FILTER (after.said IS NULL)
FROM before FULL JOIN after USING ({keys})
