-- One chunk's predictions, as its worker stages them.
SELECT
  unnest($player_id::BIGINT[]) AS player_id, unnest($games_before::INTEGER[]) AS games_before,
  unnest($minutes_before::DOUBLE[]) AS minutes_before, unnest($games::INTEGER[]) AS games,
  unnest($minutes::DOUBLE[]) AS minutes, unnest($basis::VARCHAR[]) AS basis, unnest($stat::VARCHAR[]) AS stat,
  unnest($system::VARCHAR[]) AS system, unnest($value::DOUBLE[]) AS value, unnest($low80::DOUBLE[]) AS low80,
  unnest($high80::DOUBLE[]) AS high80, unnest($line::DOUBLE[]) AS line
