-- The features of a chunk's players.
(SELECT * FROM read_parquet($file) WHERE list_contains($players::BIGINT[], player_id))
