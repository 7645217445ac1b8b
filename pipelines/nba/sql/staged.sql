-- One chunk's predictions, as its worker stages them.
SELECT
  unnest($player_id::BIGINT[]) AS player_id, unnest($points::DOUBLE[]) AS points, unnest($rebounds::DOUBLE[]) AS rebounds,
  unnest($assists::DOUBLE[]) AS assists, unnest($minutes::DOUBLE[]) AS minutes, unnest($games::INTEGER[]) AS games,
  unnest($season_games::INTEGER[]) AS season_games, unnest($basis::VARCHAR[]) AS basis
