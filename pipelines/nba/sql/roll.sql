-- The players of the day, one item each.
SELECT player_id, player, team FROM read_parquet($file) ORDER BY game_id, team_id, player_id
