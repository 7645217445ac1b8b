-- The line's error, the season mean's and the least of any system, where there is a line.
SELECT stat, any_value(line_mae), any_value(mae) FILTER (system = 'season_mean'), min(mae)
FROM read_parquet($file) GROUP BY stat ORDER BY list_position(['points', 'rebounds', 'assists'], stat)
