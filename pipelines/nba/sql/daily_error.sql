-- Each day's error of each system on eligible players.
SELECT game_date, stat, system, sum(n)::BIGINT AS n, (sum(absolute) / sum(n) / 100)::DOUBLE AS mae
FROM days WHERE eligible GROUP BY game_date, stat, system
ORDER BY game_date, list_position(['points', 'rebounds', 'assists'], stat), system
