-- The season's sums by how long players play, on eligible players; then how many outcomes intervals of 10 to 90 % held.
SELECT stat, system, minutes_band, sum(n)::BIGINT, sum(absolute)::BIGINT, sum(signed)::BIGINT, sum(covered)::BIGINT,
  sum(withins[1])::BIGINT, sum(withins[2])::BIGINT, sum(withins[3])::BIGINT, sum(withins[4])::BIGINT, sum(withins[5])::BIGINT,
  sum(withins[6])::BIGINT, sum(withins[7])::BIGINT, sum(withins[8])::BIGINT, sum(withins[9])::BIGINT
FROM grade_days
WHERE mode = $mode AND game_date < $day
  AND season = (SELECT max(season) FROM grade_days WHERE mode = $mode AND game_date < $day)
  AND eligible
GROUP BY stat, system, minutes_band
ORDER BY list_position(['points', 'rebounds', 'assists'], stat), system, minutes_band
