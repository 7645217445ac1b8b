-- The schedule's games of the season; what comes before it (001) and the games of stars (003) are nobody's card.
WITH published AS (
  SELECT * FROM read_csv($csv, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"', nullstr = '', columns = {
    'line': 'INTEGER', 'gameId': 'VARCHAR', 'gameDateEst': 'VARCHAR', 'gameDateTimeUTC': 'VARCHAR', 'homeId': 'VARCHAR',
    'home': 'VARCHAR', 'awayId': 'VARCHAR', 'away': 'VARCHAR'})
),
judged AS (
  SELECT *,
    coalesce(
      unlike('gameId', gameId, '[0-9]{10}', '10 digits, the leading zeros kept'),
      unlike('gameId', left(gameId, 3), '00[2456]', 'a game of the season or after it'),
      unlike('gameDateEst', gameDateEst, '[0-9]{4}-[0-9]{2}-[0-9]{2}', 'a date'),
      no_id('homeTeam.teamId', homeId), no_id('awayTeam.teamId', awayId),
      no_text('homeTeam.teamTricode', home), no_text('awayTeam.teamTricode', away)
    ) AS unfit,
    row_number() OVER (PARTITION BY gameId ORDER BY line) AS listing
  FROM published
)
SELECT line, gameId AS game_id, try_cast(gameDateEst AS DATE) AS game_date, gameDateTimeUTC AS tip_utc,
  try_cast(homeId AS BIGINT) AS home_id, home AS home_team, try_cast(awayId AS BIGINT) AS away_id, away AS away_team,
  'game ' || gameId AS entity,
  coalesce(unfit, CASE WHEN listing > 1 THEN 'game ' || gameId || ' is already listed' END) AS reason
FROM judged
ORDER BY line
