-- A month's features.
SELECT * FROM every WHERE date_trunc('month', game_date)::DATE = $month
ORDER BY game_date, game_id, team_id, player_id
