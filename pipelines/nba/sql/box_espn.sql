-- The layout of ESPN, every column read as text, then cast to the same table as the other layout's.
WITH published AS (
  SELECT * FROM read_csv($csv, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"', nullstr = '', columns = {
    'line': 'INTEGER', 'game_id': 'VARCHAR', 'season': 'VARCHAR', 'season_type': 'VARCHAR', 'game_date': 'VARCHAR',
    'game_date_time': 'VARCHAR', 'athlete_id': 'VARCHAR', 'player': 'VARCHAR', 'team_id': 'VARCHAR', 'team_name': 'VARCHAR',
    'team': 'VARCHAR', 'home_away': 'VARCHAR', 'opponent': 'VARCHAR', 'position': 'VARCHAR', 'did_not_play': 'VARCHAR',
    'team_winner': 'VARCHAR', 'minutes': 'VARCHAR', 'field_goals': 'VARCHAR', 'field_goals_tried': 'VARCHAR',
    'threes': 'VARCHAR', 'threes_tried': 'VARCHAR', 'free_throws': 'VARCHAR', 'free_throws_tried': 'VARCHAR',
    'offensive_rebounds': 'VARCHAR', 'defensive_rebounds': 'VARCHAR', 'rebounds': 'VARCHAR', 'assists': 'VARCHAR',
    'steals': 'VARCHAR', 'blocks': 'VARCHAR', 'turnovers': 'VARCHAR', 'fouls': 'VARCHAR', 'plus_minus': 'VARCHAR',
    'points': 'VARCHAR'})
),
plain AS (
  -- Whole numbers are written with a fraction of nothing wherever a column has gaps.
  SELECT * REPLACE (
    whole(game_id) AS game_id, whole(season) AS season, whole(season_type) AS season_type, whole(athlete_id) AS athlete_id,
    whole(team_id) AS team_id, whole(minutes) AS minutes, whole(field_goals) AS field_goals,
    whole(field_goals_tried) AS field_goals_tried, whole(threes) AS threes, whole(threes_tried) AS threes_tried,
    whole(free_throws) AS free_throws, whole(free_throws_tried) AS free_throws_tried,
    whole(offensive_rebounds) AS offensive_rebounds, whole(defensive_rebounds) AS defensive_rebounds,
    whole(rebounds) AS rebounds, whole(assists) AS assists, whole(steals) AS steals, whole(blocks) AS blocks,
    whole(turnovers) AS turnovers, whole(fouls) AS fouls, whole(plus_minus) AS plus_minus, whole(points) AS points,
    lower(did_not_play) AS did_not_play)
  FROM published
),
judged AS (
  SELECT *,
    coalesce(
      unlike('game_date', game_date, '[0-9]{4}-[0-9]{2}-[0-9]{2}', 'a date such as 2024-12-15'),
      CASE WHEN try_cast(game_date AS DATE) IS NULL THEN 'game_date ' || game_date || ' is no day of the calendar' END,
      unlike('game_id', game_id, '[0-9]{6,12}', 'a whole number'),
      unlike('season', season, $end, 'the season of the file, by the year of its end'),
      unlike('season_type', season_type, '[235]', '2, 3 or 5: a game of the season or after it'),
      no_id('athlete_id', athlete_id), no_id('team_id', team_id), no_text('athlete_display_name', player),
      no_text('team_abbreviation', team), no_text('team_display_name', team_name),
      no_text('opponent_team_abbreviation', opponent), unlike('home_away', home_away, 'home|away', 'home or away'),
      CASE WHEN list_contains($selections::VARCHAR[], team) THEN 'team_abbreviation is ' || team || ', a selection of stars' END
    ) AS unlike_identity,
    CASE WHEN did_not_play = 'true' THEN NULL ELSE coalesce(
      unlike('did_not_play', did_not_play, 'true|false', 'true or false'), no_count('minutes', minutes),
      no_count('field_goals_made', field_goals), no_count('field_goals_attempted', field_goals_tried),
      no_count('three_point_field_goals_made', threes), no_count('three_point_field_goals_attempted', threes_tried),
      no_count('free_throws_made', free_throws), no_count('free_throws_attempted', free_throws_tried),
      no_count('offensive_rebounds', offensive_rebounds), no_count('defensive_rebounds', defensive_rebounds),
      no_count('rebounds', rebounds), no_count('assists', assists), no_count('steals', steals), no_count('blocks', blocks),
      no_count('turnovers', turnovers), no_count('fouls', fouls), no_count('points', points),
      unlike('plus_minus', plus_minus, '[+-]?[0-9]{1,4}', 'a whole number')
    ) END AS unfit_values
  FROM plain
),
compared AS (
  SELECT *,
    first_value(line) OVER (PARTITION BY unlike_identity IS NULL, athlete_id, game_id ORDER BY game_date, line) AS same_game,
    first_value(line) OVER (PARTITION BY unlike_identity IS NULL, athlete_id, game_date ORDER BY game_id, line) AS same_day
  FROM judged
),
named AS (
  SELECT *, coalesce(
    unlike_identity,
    CASE WHEN same_game <> line THEN 'player ' || athlete_id || ' in game ' || game_id || ' is already on line ' || same_game END,
    CASE WHEN same_day <> line THEN 'player ' || athlete_id || ' on ' || game_date || ' is already on line ' || same_day END
  ) AS unfit_identity
  FROM compared
)
SELECT
  line, unfit_identity, unfit_values, coalesce(unfit_identity, unfit_values) AS reason,
  did_not_play IS DISTINCT FROM 'true' AS played, $end::INTEGER AS season,
  try_cast(athlete_id AS BIGINT) AS player_id, player, try_cast(team_id AS BIGINT) AS team_id, team, team_name,
  right(position, 1) AS position, game_id, try_cast(game_date AS DATE) AS game_date, opponent, home_away = 'home' AS at_home,
  try_cast(team_winner AS BOOLEAN) AS won, try_cast(minutes AS INTEGER) AS minutes,
  try_cast(field_goals AS INTEGER) AS field_goals, try_cast(field_goals_tried AS INTEGER) AS field_goals_tried,
  share(field_goals, field_goals_tried) AS field_goal_share,
  try_cast(threes AS INTEGER) AS threes, try_cast(threes_tried AS INTEGER) AS threes_tried,
  share(threes, threes_tried) AS three_share,
  try_cast(free_throws AS INTEGER) AS free_throws, try_cast(free_throws_tried AS INTEGER) AS free_throws_tried,
  share(free_throws, free_throws_tried) AS free_throw_share,
  try_cast(offensive_rebounds AS INTEGER) AS offensive_rebounds, try_cast(defensive_rebounds AS INTEGER) AS defensive_rebounds,
  try_cast(rebounds AS INTEGER) AS rebounds, try_cast(assists AS INTEGER) AS assists, try_cast(steals AS INTEGER) AS steals,
  try_cast(blocks AS INTEGER) AS blocks, try_cast(turnovers AS INTEGER) AS turnovers, try_cast(fouls AS INTEGER) AS fouls,
  try_cast(points AS INTEGER) AS points, try_cast(plus_minus AS INTEGER) AS plus_minus, NULL::DOUBLE AS fantasy_points
FROM named
ORDER BY line
