-- The day's card: its players, each with the position he is listed at.
SELECT listed.* EXCLUDE (position), coalesce(place.position, listed.position) AS position
FROM ({players}) AS listed
LEFT JOIN (FROM read_parquet($positions) WHERE reason IS NULL) AS place USING (season, player_id)
ORDER BY game_id, team_id, player_id
