-- What came of the games a model learns from, in the order of its inputs.
SELECT points::DOUBLE AS points, rebounds::DOUBLE AS rebounds, assists::DOUBLE AS assists
FROM read_parquet($file)
ORDER BY game_date, game_id, team_id, player_id
