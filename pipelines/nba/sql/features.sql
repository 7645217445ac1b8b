-- What is known before a game of each player asked for: the last state of player, team and opponent before its day.
WITH asked AS (SELECT * FROM read_parquet($asked)),
places AS (SELECT * FROM read_csv($cities, header = true, columns = {'team': 'VARCHAR', 'city': 'VARCHAR', 'latitude': 'DOUBLE', 'longitude': 'DOUBLE'})),
games AS (
  -- Where each of a team's games was or will be; the ground of a neutral game is not known.
  SELECT DISTINCT team, game_date, CASE venue WHEN 'home' THEN team WHEN 'away' THEN opponent END AS ground
  FROM (FROM read_parquet($cards) UNION ALL BY NAME FROM asked)
),
journeys AS (
  SELECT team, game_date,
    distance(latitude, longitude, lag(latitude) OVER trips, lag(longitude) OVER trips) AS travel,
    count(*) OVER (PARTITION BY team ORDER BY game_date RANGE BETWEEN 6 PRECEDING AND 1 PRECEDING) AS games_in_week
  FROM (SELECT games.team, epoch_days(game_date) AS game_date, latitude, longitude
        FROM games LEFT JOIN places ON places.team = games.ground)
  WINDOW trips AS (PARTITION BY team ORDER BY game_date)
),
known AS (
  SELECT asked.season, asked.player_id, asked.player, asked.team_id, asked.team, asked.opponent, asked.game_id,
    asked.game_date, asked.venue, asked.position, state.* EXCLUDE (player_id, game_date, season, team_id, season_games,
      season_minutes, season_points, season_rebounds, season_assists),
    CASE WHEN state.season = asked.season THEN season_games ELSE 0 END AS games_before,
    CASE WHEN state.season = asked.season THEN season_minutes / season_games END AS minutes_before,
    CASE WHEN state.season = asked.season THEN season_points / season_games END AS season_points,
    CASE WHEN state.season = asked.season THEN season_rebounds / season_games END AS season_rebounds,
    CASE WHEN state.season = asked.season THEN season_assists / season_games END AS season_assists,
    asked.game_date - state.game_date AS rest, state.team_id <> asked.team_id AS moved
  FROM asked
  ASOF LEFT JOIN read_parquet($players) AS state
    ON state.player_id = asked.player_id AND state.game_date < asked.game_date
)
SELECT
  known.*,
  own.offence, own.defence, own.pace, known.game_date - own.game_date AS team_rest, journeys.travel, journeys.games_in_week,
  other.offence AS opponent_offence, other.defence AS opponent_defence, other.pace AS opponent_pace,
  known.game_date - other.game_date AS opponent_rest,
  allowed.points AS points_allowed, allowed.rebounds AS rebounds_allowed, allowed.assists AS assists_allowed,
  -- Who else is on the card says how many minutes and shots there are to share. Rounded before they are summed: then no
  -- order of summing makes a difference.
  sum(hundredths(fast_minutes)) OVER side / 100 AS side_fast_minutes,
  sum(hundredths(slow_minutes)) OVER side / 100 AS side_slow_minutes,
  sum(hundredths(middle_minutes * shots_rate)) OVER side / 100 AS side_shots,
  sum(hundredths(middle_minutes)) OVER (PARTITION BY known.game_id, known.team, known.position) / 100 AS side_position_minutes,
  count(*) OVER side AS side_players,
  rank() OVER (PARTITION BY known.game_id, known.team ORDER BY hundredths(middle_minutes) DESC NULLS LAST) AS place
FROM known
LEFT JOIN journeys ON journeys.team = known.team AND journeys.game_date = epoch_days(known.game_date)
ASOF LEFT JOIN read_parquet($teams) AS own ON own.team = known.team AND own.game_date < known.game_date
ASOF LEFT JOIN read_parquet($teams) AS other ON other.team = known.opponent AND other.game_date < known.game_date
ASOF LEFT JOIN read_parquet($allowed) AS allowed
  ON allowed.team = known.opponent AND allowed.position = coalesce(known.position, 'F') AND allowed.game_date < known.game_date
WINDOW side AS (PARTITION BY known.game_id, known.team)
ORDER BY known.game_date, known.game_id, known.team_id, known.player_id
