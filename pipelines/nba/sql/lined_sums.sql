-- The season's sums where there was a line: the systems' own and the line's.
SELECT stat, system, eligible, sum(n)::BIGINT, sum(absolute)::BIGINT, sum(line_absolute)::BIGINT, sum(line_signed)::BIGINT
FROM grade_days
WHERE mode = $mode AND game_date < $day
  AND season = (SELECT max(season) FROM grade_days WHERE mode = $mode AND game_date < $day)
  AND lined
GROUP BY stat, system, eligible
ORDER BY list_position(['points', 'rebounds', 'assists'], stat), system, eligible
