-- The form of a chunk's players.
SELECT player_id, games, season_games, minutes, points_per_minute, rebounds_per_minute, assists_per_minute
FROM read_parquet($form)
WHERE player_id IN (SELECT unnest($players::BIGINT[]))
