-- Who plays whom on the day, from the identity columns alone. On neutral ground both teams are listed as visitors.
SELECT
  player_id, player, team_id, team, opponent, game_id, season_id,
  CASE WHEN at_home THEN 'home' WHEN bool_or(at_home) OVER (PARTITION BY game_id) THEN 'away' ELSE 'neutral' END AS venue
FROM read_parquet($boxes)
WHERE game_date = $day AND unfit_identity IS NULL
ORDER BY game_id, team_id, player_id
