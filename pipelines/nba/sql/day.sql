-- The day's predictions in the order in which they are published.
SELECT * EXCLUDE (game_date, mode) FROM predictions WHERE game_date = DATE '{day}' AND mode = '{mode}'
ORDER BY game_id, team_id, player_id
