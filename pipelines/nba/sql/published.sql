-- What is published of the day's snapshot, in its order.
SELECT game_id, team, opponent, venue, player_id, player, games, season_games, basis, minutes, points, rebounds, assists
FROM read_parquet($file)
ORDER BY game_id, team_id, player_id
