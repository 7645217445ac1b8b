-- The season's sums of each graded day and system, on eligible players.
SELECT game_date, stat, system, sum(n)::BIGINT, sum(absolute)::BIGINT
FROM grade_days
WHERE mode = $mode AND game_date < $day
  AND season = (SELECT max(season) FROM grade_days WHERE mode = $mode AND game_date < $day)
  AND eligible
GROUP BY game_date, stat, system
ORDER BY game_date, list_position(['points', 'rebounds', 'assists'], stat), system
