-- Who plays whom on every day, from the identity columns alone. On neutral ground both teams are listed as visitors.
WITH listed AS (
  SELECT season, game_date, game_id, player_id, player, team_id, team, opponent, position,
    CASE WHEN at_home THEN 'home' WHEN bool_or(at_home) OVER (PARTITION BY game_id) THEN 'away' ELSE 'neutral' END AS venue
  FROM read_parquet($boxes)
  WHERE unfit_identity IS NULL
)
SELECT listed.* EXCLUDE (position), coalesce(place.position, listed.position) AS position
FROM listed LEFT JOIN (FROM read_parquet($positions) WHERE reason IS NULL) AS place USING (season, player_id)
ORDER BY game_date, game_id, team_id, player_id
