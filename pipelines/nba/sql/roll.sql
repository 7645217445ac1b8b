-- The players of the day, one item each.
SELECT player_id, player, team FROM read_parquet($card) ORDER BY game_id, team_id, player_id
