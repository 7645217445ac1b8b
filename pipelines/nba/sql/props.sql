-- The offers as published; junk prices, repeats and offers on games already begun are left out, each with its reason.
WITH published AS (
  SELECT * FROM read_csv($csv, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"', nullstr = '', columns = {
    'line': 'INTEGER', 'file': 'VARCHAR', 'eastern': 'VARCHAR', 'ahead': 'VARCHAR', 'player': 'VARCHAR', 'market': 'VARCHAR',
    'bookmaker': 'VARCHAR', 'side': 'VARCHAR', 'offered': 'VARCHAR', 'price': 'VARCHAR', 'home_team': 'VARCHAR',
    'away_team': 'VARCHAR', 'game': 'VARCHAR', 'commence_time': 'VARCHAR'})
),
judged AS (
  SELECT *,
    coalesce(
      no_text('player', player),
      unlike('market', market, 'player_(points|rebounds|assists)', 'player_points, player_rebounds or player_assists'),
      no_text('bookmaker', bookmaker), unlike('side', side, 'Over|Under', 'Over or Under'),
      no_number('line', offered), no_number('price', price), no_text('game_id', game),
      CASE WHEN eastern IS NULL THEN due('commence_time', commence_time, 'an instant with its zone') END,
      CASE WHEN abs(try_cast(price AS DOUBLE)) >= 10000 THEN 'price is ' || price || ', which is no price' END,
      CASE WHEN ahead = 'false' THEN 'the game began at ' || commence_time || ', before the lines of ' || file || ' were drawn' END
    ) AS unfit,
    first_value(line) OVER (PARTITION BY file, game, bookmaker, player, market, side, offered ORDER BY line) AS first_line
  FROM published
)
SELECT line, file::DATE AS file, eastern::DATE AS game_date, player, replace(market, 'player_', '') AS market, bookmaker, side,
  try_cast(offered AS DOUBLE) AS offered, try_cast(price AS INTEGER) AS price, home_team, away_team, game, player AS entity,
  coalesce(unfit, CASE WHEN first_line <> line THEN 'a repeat of line ' || first_line END) AS reason
FROM judged
ORDER BY line
