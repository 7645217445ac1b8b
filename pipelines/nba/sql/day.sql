-- The day's predictions in the order in which they are published.
SELECT game_date, game_id, player_id, player_name, team, opponent,
  CASE venue WHEN 'home' THEN true WHEN 'away' THEN false END AS home, position, games_before, minutes_before, stat, system,
  value, low80, high80, line, source
FROM predictions
WHERE game_date = DATE '{day}' AND mode = '{mode}'
ORDER BY game_id, team_id, player_id, list_position(['points', 'rebounds', 'assists'], stat),
  list_position(['season_mean', 'last_ten', 'weighted', 'lightgbm', 'ensemble'], system)
