-- The systems beside the line, on the rows that have one.
SELECT stat, system, sum(n)::BIGINT AS n, (sum(absolute) / sum(n) / 100)::DOUBLE AS mae,
  (sum(line_absolute) / sum(n) / 100)::DOUBLE AS line_mae
FROM days WHERE lined GROUP BY stat, system
ORDER BY list_position(['points', 'rebounds', 'assists'], stat), system
