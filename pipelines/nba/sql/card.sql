-- The day's players: those the log lists; where only the schedule knows a game, those who played last for its teams.
WITH games AS (SELECT * FROM read_parquet($games)),
listed AS (
  SELECT box.season, box.game_date, game_id, player_id, player, team_id, team, opponent,
    CASE WHEN games.neutral THEN 'neutral' WHEN team_id = games.home_id THEN 'home' ELSE 'away' END AS venue,
    box.position
  FROM read_parquet($boxes) AS box JOIN games USING (game_id)
  WHERE box.game_date = $day AND unfit_identity IS NULL AND games.basis <> 'schedule'
),
last_games AS (
  SELECT season, player_id, player, team_id, position
  FROM read_parquet($boxes)
  WHERE game_date < $day AND game_date >= $day::DATE - $roster_days::INTEGER AND unfit_identity IS NULL
  QUALIFY row_number() OVER (PARTITION BY player_id ORDER BY game_date DESC, game_id DESC) = 1
),
expected AS (
  SELECT season, $day::DATE AS game_date, game_id, player_id, player, team_id,
    CASE WHEN team_id = home_id THEN home_team ELSE away_team END AS team,
    CASE WHEN team_id = home_id THEN away_team ELSE home_team END AS opponent,
    CASE WHEN team_id = home_id THEN 'home' ELSE 'away' END AS venue, position
  FROM last_games JOIN games ON team_id IN (home_id, away_id)
  WHERE games.basis = 'schedule'
)
SELECT every.* EXCLUDE (position), coalesce(place.position, every.position) AS position
FROM (FROM listed UNION ALL BY NAME FROM expected) AS every
LEFT JOIN (FROM read_parquet($positions) WHERE reason IS NULL) AS place USING (season, player_id)
ORDER BY game_id, team_id, player_id
