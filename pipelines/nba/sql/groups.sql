-- The same by how long players play.
SELECT stat, system, minutes_band, sum(n)::BIGINT AS n, (sum(absolute) / sum(n) / 100)::DOUBLE AS mae,
  (sum(signed) / sum(n) / 100)::DOUBLE AS bias, (sum(covered) / sum(n))::DOUBLE AS coverage
FROM days WHERE eligible GROUP BY stat, system, minutes_band
ORDER BY list_position(['points', 'rebounds', 'assists'], stat), system, minutes_band
