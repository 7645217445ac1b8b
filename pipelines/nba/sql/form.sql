-- Every player's form from the games before the day. Weights are whole numbers, so their sums are exact in any order.
WITH past AS (
  SELECT player_id, game_date, season_id = $season AS this_season, minutes, points, rebounds, assists,
    row_number() OVER (PARTITION BY player_id ORDER BY game_date DESC, game_id DESC) - 1 AS ago
  FROM read_parquet($boxes)
  WHERE game_date < $day AND unfit_identity IS NULL AND unfit_values IS NULL
),
weighted AS (
  SELECT *,
    CASE WHEN ago < $window THEN round(power(0.5, ago / $rate_half_life) * $scale)::BIGINT ELSE 0 END AS w,
    CASE WHEN ago < $window THEN round(power(0.5, ago / $minutes_half_life) * $scale)::BIGINT ELSE 0 END AS m
  FROM past
)
SELECT
  player_id,
  count(*) AS games,
  count(*) FILTER (this_season) AS season_games,
  max(game_date) AS last_game,
  sum(m * minutes)::DOUBLE / sum(m)::DOUBLE AS minutes,
  sum(w * points)::DOUBLE / nullif(sum(w * minutes), 0)::DOUBLE AS points_per_minute,
  sum(w * rebounds)::DOUBLE / nullif(sum(w * minutes), 0)::DOUBLE AS rebounds_per_minute,
  sum(w * assists)::DOUBLE / nullif(sum(w * minutes), 0)::DOUBLE AS assists_per_minute,
  avg(minutes) FILTER (this_season) AS season_minutes,
  avg(points) FILTER (this_season) AS season_points,
  avg(rebounds) FILTER (this_season) AS season_rebounds,
  avg(assists) FILTER (this_season) AS season_assists
FROM weighted
GROUP BY player_id
ORDER BY player_id
