-- The graded day's sums.
INSERT INTO grade_days
SELECT $mode, season, game_date, stat, system, eligible, minutes_band, line IS NOT NULL AS lined, count(*),
  sum(abs(round(100 * value)::BIGINT - 100 * outcome)), sum(round(100 * value)::BIGINT - 100 * outcome),
  count(*) FILTER (outcome BETWEEN low80 AND high80),
  sum(abs(round(100 * line)::BIGINT - 100 * outcome)), sum(round(100 * line)::BIGINT - 100 * outcome),
  list_transform(range(10, 100, 10), lambda nominal: len(list_filter(list(within), lambda one: one <= nominal)))
FROM read_parquet($file)
WHERE outcome IS NOT NULL
GROUP BY ALL
ORDER BY ALL
