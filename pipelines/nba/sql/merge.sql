-- Only the rows of settled players, each from exactly the file its settlement names.
INSERT INTO predictions
WITH settled AS (SELECT unnest($files::VARCHAR[]) AS filename, unnest($players::BIGINT[]) AS player_id)
SELECT
  $day, $mode, card.game_id, card.team_id, card.team, card.opponent, card.venue, card.position, card.player_id, card.player,
  staged.games, staged.games_before, staged.minutes_before, staged.minutes, staged.basis, staged.stat, staged.system,
  staged.value, staged.low80, staged.high80, staged.line, $source
FROM settled
JOIN read_json($staged, filename = true, format = 'newline_delimited', columns = {
    'player_id': 'BIGINT', 'games_before': 'INTEGER', 'minutes_before': 'DOUBLE', 'games': 'INTEGER', 'minutes': 'DOUBLE',
    'basis': 'VARCHAR', 'stat': 'VARCHAR', 'system': 'VARCHAR', 'value': 'DOUBLE', 'low80': 'DOUBLE', 'high80': 'DOUBLE',
    'line': 'DOUBLE'}) AS staged USING (filename, player_id)
JOIN read_parquet($card) AS card USING (player_id)
ORDER BY card.game_id, card.team_id, card.player_id, staged.stat, staged.system
