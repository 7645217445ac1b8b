-- Where players play, by season; the position is the first one listed.
WITH published AS (
  SELECT * FROM read_csv($csv, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"', nullstr = '', columns = {
    'line': 'INTEGER', 'end': 'INTEGER', 'PLAYER_ID': 'VARCHAR', 'POSITION': 'VARCHAR', 'TeamID': 'VARCHAR',
    'POSITION_SIMPLE': 'VARCHAR'})
),
judged AS (
  SELECT *,
    coalesce(no_id('PLAYER_ID', PLAYER_ID), unlike('POSITION_SIMPLE', POSITION_SIMPLE, '[GFC]', 'G, F or C')) AS unfit,
    row_number() OVER (PARTITION BY "end", PLAYER_ID ORDER BY line) AS listing
  FROM published
)
SELECT line, "end" AS season, try_cast(PLAYER_ID AS BIGINT) AS player_id, POSITION_SIMPLE AS position, PLAYER_ID AS entity,
  coalesce(unfit, CASE WHEN listing > 1 THEN 'player ' || PLAYER_ID || ' is already listed in this season' END) AS reason
FROM judged
ORDER BY line
