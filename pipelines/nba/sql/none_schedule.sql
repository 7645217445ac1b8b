-- No schedule: the shape of the table without a row.
SELECT NULL::VARCHAR AS game_id, NULL::DATE AS game_date, NULL::VARCHAR AS tip_utc, NULL::BIGINT AS home_id,
  NULL::VARCHAR AS home_team, NULL::BIGINT AS away_id, NULL::VARCHAR AS away_team, NULL::VARCHAR AS reason WHERE false
