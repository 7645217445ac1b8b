-- No positions: the shape of the table without a row.
SELECT NULL::INTEGER AS season, NULL::BIGINT AS player_id, NULL::VARCHAR AS position, NULL::VARCHAR AS reason WHERE false
