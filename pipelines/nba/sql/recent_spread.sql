-- How far, in hundredths, outcomes lay from predictions of each level lately; level -1 is all of them.
WITH misses AS (
  SELECT stat, system, level, 100 * outcome - round(100 * value)::INTEGER AS miss
  FROM grades
  WHERE mode = $mode AND game_date < $day AND game_date >= $since AND eligible
)
SELECT stat, system, coalesce(level, -1)::INTEGER AS level, count(*) AS misses, quantile_cont(miss, $shares::DOUBLE[]) AS quantiles
FROM misses
GROUP BY GROUPING SETS ((stat, system, level), (stat, system))
ORDER BY stat, system, level
