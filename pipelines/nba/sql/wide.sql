-- The day's players, one a row, with what the headline system expects of them, the intervals and the lines.
SELECT game_id, team_id, any_value(team) AS team, any_value(opponent) AS opponent, any_value(venue) AS venue, player_id,
  any_value(player_name) AS player, any_value(games) AS games, any_value(games_before) AS season_games,
  any_value(basis) AS basis, any_value(minutes) AS minutes, max(value) FILTER (stat = 'points') AS points,
  max(value) FILTER (stat = 'rebounds') AS rebounds, max(value) FILTER (stat = 'assists') AS assists,
  max(low80) FILTER (stat = 'points') AS points_low, max(high80) FILTER (stat = 'points') AS points_high,
  max(line) FILTER (stat = 'points') AS points_line,
  max(low80) FILTER (stat = 'rebounds') AS rebounds_low, max(high80) FILTER (stat = 'rebounds') AS rebounds_high,
  max(line) FILTER (stat = 'rebounds') AS rebounds_line,
  max(low80) FILTER (stat = 'assists') AS assists_low, max(high80) FILTER (stat = 'assists') AS assists_high,
  max(line) FILTER (stat = 'assists') AS assists_line,
  any_value(source) AS source
FROM predictions
WHERE game_date = DATE '{day}' AND mode = '{mode}' AND system = '{headline}'
GROUP BY game_id, team_id, player_id
ORDER BY game_id, team_id, player_id
