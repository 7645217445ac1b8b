-- The day's games, and where each is known from.
SELECT game_id, basis FROM games ORDER BY game_id
