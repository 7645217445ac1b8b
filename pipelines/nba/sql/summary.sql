-- The season to date: each system's error, bias and coverage on eligible players; the line on those it was offered for.
SELECT * FROM (
  SELECT stat, system, sum(n)::BIGINT AS n, (sum(absolute) / sum(n) / 100)::DOUBLE AS mae,
    (sum(signed) / sum(n) / 100)::DOUBLE AS bias, (sum(covered) / sum(n))::DOUBLE AS coverage
  FROM days WHERE eligible GROUP BY stat, system
  UNION ALL
  SELECT stat, 'line', sum(n)::BIGINT, (sum(line_absolute) / sum(n) / 100)::DOUBLE, (sum(line_signed) / sum(n) / 100)::DOUBLE, NULL
  FROM days WHERE eligible AND lined AND system = 'weighted' GROUP BY stat
)
ORDER BY list_position(['points', 'rebounds', 'assists'], stat),
  list_position(['season_mean', 'last_ten', 'weighted', 'lightgbm', 'ensemble', 'line'], system)
