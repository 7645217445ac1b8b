-- The published layout, every column read as text, then cast; what is unfit about a row is said beside it.
WITH published AS (
  SELECT * FROM read_csv($csv, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"', nullstr = '', columns = {
    'line': 'INTEGER', 'SEASON_ID': 'VARCHAR', 'PLAYER_ID': 'VARCHAR', 'PLAYER_NAME': 'VARCHAR', 'TEAM_ID': 'VARCHAR',
    'TEAM_ABBREVIATION': 'VARCHAR', 'TEAM_NAME': 'VARCHAR', 'GAME_ID': 'VARCHAR', 'GAME_DATE': 'VARCHAR', 'MATCHUP': 'VARCHAR',
    'WL': 'VARCHAR', 'MIN': 'VARCHAR', 'FGM': 'VARCHAR', 'FGA': 'VARCHAR', 'FG_PCT': 'VARCHAR', 'FG3M': 'VARCHAR',
    'FG3A': 'VARCHAR', 'FG3_PCT': 'VARCHAR', 'FTM': 'VARCHAR', 'FTA': 'VARCHAR', 'FT_PCT': 'VARCHAR', 'OREB': 'VARCHAR',
    'DREB': 'VARCHAR', 'REB': 'VARCHAR', 'AST': 'VARCHAR', 'STL': 'VARCHAR', 'BLK': 'VARCHAR', 'TOV': 'VARCHAR',
    'PF': 'VARCHAR', 'PTS': 'VARCHAR', 'PLUS_MINUS': 'VARCHAR', 'FANTASY_PTS': 'VARCHAR', 'VIDEO_AVAILABLE': 'VARCHAR'})
),
judged AS (
  SELECT *,
    coalesce(
      unlike('GAME_DATE', GAME_DATE, '[0-9]{4}-[0-9]{2}-[0-9]{2}', 'a date such as 2024-12-15'),
      CASE WHEN try_cast(GAME_DATE AS DATE) IS NULL THEN 'GAME_DATE ' || GAME_DATE || ' is no day of the calendar' END,
      unlike('GAME_ID', GAME_ID, '[0-9]{10}', '10 digits, the leading zeros kept'),
      unlike('SEASON_ID', SEASON_ID, '[0-9]' || ($end::INTEGER - 1), 'the season of the file, a digit and ' || ($end::INTEGER - 1)),
      no_id('PLAYER_ID', PLAYER_ID), no_id('TEAM_ID', TEAM_ID), no_text('PLAYER_NAME', PLAYER_NAME),
      no_text('TEAM_ABBREVIATION', TEAM_ABBREVIATION), no_text('TEAM_NAME', TEAM_NAME),
      unlike('MATCHUP', MATCHUP, '[A-Z0-9]{2,4} (@|vs[.]) [A-Z0-9]{2,4}', 'AAA @ BBB or AAA vs. BBB')
    ) AS unlike_identity,
    coalesce(
      unlike('WL', WL, '[WL]', 'W or L'), no_count('MIN', MIN), no_count('FGM', FGM), no_count('FGA', FGA),
      no_share('FG_PCT', FG_PCT), no_count('FG3M', FG3M), no_count('FG3A', FG3A), no_share('FG3_PCT', FG3_PCT),
      no_count('FTM', FTM), no_count('FTA', FTA), no_share('FT_PCT', FT_PCT), no_count('OREB', OREB), no_count('DREB', DREB),
      no_count('REB', REB), no_count('AST', AST), no_count('STL', STL), no_count('BLK', BLK), no_count('TOV', TOV),
      no_count('PF', PF), no_count('PTS', PTS), unlike('PLUS_MINUS', PLUS_MINUS, '[+-]?[0-9]{1,4}', 'a whole number'),
      no_number('FANTASY_PTS', FANTASY_PTS)
    ) AS unfit_values
  FROM published
),
compared AS (
  -- A repeat is told from the row it repeats by date, then by line, so that nothing later decides about anything earlier.
  SELECT *,
    first_value(line) OVER (PARTITION BY unlike_identity IS NULL, PLAYER_ID, GAME_ID ORDER BY GAME_DATE, line) AS same_game,
    first_value(line) OVER (PARTITION BY unlike_identity IS NULL, PLAYER_ID, GAME_DATE ORDER BY GAME_ID, line) AS same_day
  FROM judged
)
SELECT
  line,
  coalesce(
    unlike_identity,
    CASE WHEN same_game <> line THEN 'player ' || PLAYER_ID || ' in game ' || GAME_ID || ' is already on line ' || same_game END,
    CASE WHEN same_day <> line THEN 'player ' || PLAYER_ID || ' on ' || GAME_DATE || ' is already on line ' || same_day END
  ) AS unfit_identity,
  unfit_values,
  coalesce(unfit_identity, unfit_values) AS reason,
  true AS played, $end::INTEGER AS season,
  try_cast(PLAYER_ID AS BIGINT) AS player_id, PLAYER_NAME AS player,
  try_cast(TEAM_ID AS BIGINT) AS team_id, TEAM_ABBREVIATION AS team, TEAM_NAME AS team_name,
  NULL::VARCHAR AS position,
  GAME_ID AS game_id, try_cast(GAME_DATE AS DATE) AS game_date,
  regexp_extract(MATCHUP, '([A-Z0-9]+)$', 1) AS opponent, contains(MATCHUP, ' vs. ') AS at_home,
  WL = 'W' AS won, try_cast(MIN AS INTEGER) AS minutes,
  try_cast(FGM AS INTEGER) AS field_goals, try_cast(FGA AS INTEGER) AS field_goals_tried, try_cast(FG_PCT AS DOUBLE) AS field_goal_share,
  try_cast(FG3M AS INTEGER) AS threes, try_cast(FG3A AS INTEGER) AS threes_tried, try_cast(FG3_PCT AS DOUBLE) AS three_share,
  try_cast(FTM AS INTEGER) AS free_throws, try_cast(FTA AS INTEGER) AS free_throws_tried, try_cast(FT_PCT AS DOUBLE) AS free_throw_share,
  try_cast(OREB AS INTEGER) AS offensive_rebounds, try_cast(DREB AS INTEGER) AS defensive_rebounds,
  try_cast(REB AS INTEGER) AS rebounds, try_cast(AST AS INTEGER) AS assists, try_cast(STL AS INTEGER) AS steals,
  try_cast(BLK AS INTEGER) AS blocks, try_cast(TOV AS INTEGER) AS turnovers, try_cast(PF AS INTEGER) AS fouls,
  try_cast(PTS AS INTEGER) AS points, try_cast(PLUS_MINUS AS INTEGER) AS plus_minus, try_cast(FANTASY_PTS AS DOUBLE) AS fantasy_points
FROM compared
ORDER BY line
