-- What the plain systems need of a chunk's players, in the order of the models' inputs.
SELECT {columns} FROM read_parquet($file) WHERE list_contains($players::BIGINT[], player_id)
ORDER BY game_date, game_id, team_id, player_id
