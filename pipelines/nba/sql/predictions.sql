-- The warehouse's table of predictions, a row for each player, stat and system; a run owns the rows of its day and mode.
CREATE TABLE IF NOT EXISTS predictions (
  game_date DATE, mode VARCHAR, game_id VARCHAR, team_id BIGINT, team VARCHAR, opponent VARCHAR, venue VARCHAR,
  position VARCHAR, player_id BIGINT, player_name VARCHAR, games INTEGER, games_before INTEGER, minutes_before DOUBLE,
  minutes DOUBLE, basis VARCHAR, stat VARCHAR, system VARCHAR, value DOUBLE, low80 DOUBLE, high80 DOUBLE, line DOUBLE,
  source VARCHAR
)
