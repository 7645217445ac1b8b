-- The rows that are left out of the day: where they stand, whose they are, and why.
CREATE OR REPLACE TEMP TABLE rejected AS
SELECT $source AS source, season, line, coalesce(unfit_identity, unfit_values) AS reason, player AS entity, game_date
FROM read_parquet($boxes)
WHERE game_date IS NULL
  OR (game_date < $day AND (unfit_identity IS NOT NULL OR unfit_values IS NOT NULL))
  OR (game_date = $day AND unfit_identity IS NOT NULL)
ORDER BY season, line
