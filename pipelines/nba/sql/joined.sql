-- Each prediction of the day graded with what the player did; whoever did not play, or has no usable row, has no outcome.
CREATE OR REPLACE TEMP TABLE joined AS
WITH happened AS (
  SELECT game_id, player_id, season, points, rebounds, assists
  FROM read_parquet($boxes)
  WHERE game_date = $graded AND played AND unfit_identity IS NULL AND unfit_values IS NULL
)
SELECT predicted.*, season,
  CASE stat WHEN 'points' THEN points WHEN 'rebounds' THEN rebounds ELSE assists END AS outcome
FROM read_parquet($predictions) AS predicted LEFT JOIN happened USING (game_id, player_id)
ORDER BY game_id, team, player_id, stat, system
