-- The warehouse's table of predictions; a run owns the rows of its day and mode.
CREATE TABLE IF NOT EXISTS predictions (
  game_date DATE, mode VARCHAR, game_id VARCHAR, team_id BIGINT, team VARCHAR, opponent VARCHAR, venue VARCHAR,
  player_id BIGINT, player VARCHAR, games INTEGER, season_games INTEGER, minutes DOUBLE,
  points DOUBLE, rebounds DOUBLE, assists DOUBLE, basis VARCHAR, source VARCHAR
)
