-- Each player's game in a line: what he did, and his share of what his team did while he was on the floor.
WITH played AS (
  SELECT *, field_goals_tried + 0.44 * free_throws_tried + turnovers AS used
  FROM read_parquet($boxes)
  WHERE played AND unfit_identity IS NULL AND unfit_values IS NULL
)
SELECT
  season, game_date, game_id, player_id, team_id, team, opponent,
  coalesce(place.position, played.position) AS position,
  minutes, points, rebounds, assists, field_goals_tried, threes_tried, free_throws_tried, offensive_rebounds, turnovers,
  fouls, plus_minus, steals + blocks AS stops,
  CASE WHEN field_goals_tried + free_throws_tried > 0
    THEN points / (2 * (field_goals_tried + 0.44 * free_throws_tried)) END AS true_shooting,
  used / nullif(sum(used) OVER team_game, 0) AS used_share
FROM played
LEFT JOIN (FROM read_parquet($positions) WHERE reason IS NULL) AS place USING (season, player_id)
WINDOW team_game AS (PARTITION BY game_id, team_id)
ORDER BY game_date, game_id, team_id, player_id
