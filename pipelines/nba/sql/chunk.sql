-- The features of a chunk's players.
CREATE OR REPLACE TEMP TABLE chunk AS
SELECT * FROM read_parquet($file) WHERE player_id IN (SELECT unnest($players::BIGINT[]))
