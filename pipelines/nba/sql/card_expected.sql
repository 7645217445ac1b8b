-- The players to expect in games that only the schedule knows: those who played last for one of the two teams.
WITH last_games AS (
  SELECT season, player_id, player, team_id, position
  FROM read_parquet($boxes)
  WHERE game_date < $day AND game_date >= $day::DATE - $roster_days::INTEGER AND unfit_identity IS NULL
  QUALIFY row_number() OVER (PARTITION BY player_id ORDER BY game_date DESC, game_id DESC) = 1
)
SELECT season, $day::DATE AS game_date, game_id, player_id, player, team_id,
  CASE WHEN team_id = home_id THEN home_team ELSE away_team END AS team,
  CASE WHEN team_id = home_id THEN away_team ELSE home_team END AS opponent,
  CASE WHEN team_id = home_id THEN 'home' ELSE 'away' END AS venue, position
FROM last_games JOIN games ON team_id IN (home_id, away_id)
WHERE games.basis = 'schedule'
