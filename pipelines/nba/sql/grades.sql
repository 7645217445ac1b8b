-- The warehouse's table of graded predictions; a run owns the rows of the day before it, in its mode.
CREATE TABLE IF NOT EXISTS grades (
  mode VARCHAR, game_date DATE, season INTEGER, game_id VARCHAR, player_id BIGINT, player_name VARCHAR, team VARCHAR,
  opponent VARCHAR, stat VARCHAR, system VARCHAR, value DOUBLE, low80 DOUBLE, high80 DOUBLE, line DOUBLE, outcome INTEGER,
  eligible BOOLEAN, minutes_band VARCHAR, within INTEGER, level INTEGER
)
