-- Rows that the day would rest on and that cannot be used: how many, and the first of them.
SELECT count(*), arg_min(coalesce(unfit_identity, unfit_values), line), min(line)
FROM read_parquet($box)
WHERE game_date IS NULL
  OR (game_date < $day AND (unfit_identity IS NOT NULL OR unfit_values IS NOT NULL))
  OR (game_date = $day AND unfit_identity IS NOT NULL)
