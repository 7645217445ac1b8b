-- No graded day: the shape of the table without a row.
SELECT NULL::DATE AS game_date, NULL::VARCHAR AS player_name, NULL::VARCHAR AS team, NULL::VARCHAR AS opponent,
  NULL::VARCHAR AS stat, NULL::VARCHAR AS system, NULL::DOUBLE AS value, NULL::DOUBLE AS low80, NULL::DOUBLE AS high80,
  NULL::DOUBLE AS line, NULL::INTEGER AS outcome, NULL::DOUBLE AS error
WHERE false
