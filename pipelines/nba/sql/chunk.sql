-- The features of a chunk's players.
(SELECT * FROM read_parquet($file) WHERE game_date = $day AND list_contains($players::BIGINT[], player_id))
