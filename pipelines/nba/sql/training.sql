-- What a model learns from: the features of every game before the week, and what came of it.
SELECT features.*, games.points, games.rebounds, games.assists
FROM read_parquet($features) AS features
JOIN read_parquet($games) AS games USING (player_id, game_id)
WHERE features.game_date < $before AND features.games IS NOT NULL
ORDER BY features.game_date, features.game_id, features.team_id, features.player_id
