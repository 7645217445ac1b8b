-- The day's players as the log lists them.
SELECT box.season, box.game_date, game_id, player_id, player, team_id, team, opponent,
  CASE WHEN games.neutral THEN 'neutral' WHEN team_id = games.home_id THEN 'home' ELSE 'away' END AS venue,
  box.position
FROM read_parquet($boxes) AS box JOIN games USING (game_id)
WHERE box.game_date = $day AND unfit_identity IS NULL AND games.basis <> 'schedule'
