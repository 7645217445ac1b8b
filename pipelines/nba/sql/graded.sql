-- The graded rows. Eligible are players of whom enough is known for a fair comparison.
SELECT game_date, max(season) OVER () AS season, game_id, player_id, player_name, team, opponent, stat, system, value, low80,
  high80, line, outcome, coalesce(games_before >= 10 AND minutes_before >= 10, false) AS eligible,
  CASE WHEN minutes_before < 20 THEN '10-20' WHEN minutes_before < 30 THEN '20-30' ELSE '30+' END AS minutes_band,
  within, level
FROM joined
POSITIONAL JOIN (SELECT unnest($within::INTEGER[]) AS within, unnest($level::INTEGER[]) AS level)
ORDER BY game_id, team, player_id, stat, system
