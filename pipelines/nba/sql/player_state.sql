-- What is known of every player after each of his games. A day asks for the last row before it, never for a later one.
WITH games AS (
  SELECT *,
    row_number() OVER career AS games, row_number() OVER this_season AS season_games,
    sum(minutes) OVER this_season AS season_minutes, sum(points) OVER this_season AS season_points,
    sum(rebounds) OVER this_season AS season_rebounds, sum(assists) OVER this_season AS season_assists,
    list(minutes::DOUBLE) OVER lately AS minute, list(points::DOUBLE) OVER lately AS point,
    list(rebounds::DOUBLE) OVER lately AS rebound, list(assists::DOUBLE) OVER lately AS assist,
    list(field_goals_tried::DOUBLE) OVER lately AS shot, list(threes_tried::DOUBLE) OVER lately AS three,
    list(free_throws_tried::DOUBLE) OVER lately AS free, list(turnovers::DOUBLE) OVER lately AS turnover,
    list(offensive_rebounds::DOUBLE) OVER lately AS offensive, list(fouls::DOUBLE) OVER lately AS foul,
    list(plus_minus::DOUBLE) OVER lately AS difference, list(coalesce(used_share, 0)::DOUBLE) OVER lately AS used
  FROM read_parquet($games)
  WINDOW
    career AS (PARTITION BY player_id ORDER BY game_date, game_id),
    this_season AS (PARTITION BY player_id, season ORDER BY game_date, game_id),
    lately AS (PARTITION BY player_id ORDER BY game_date, game_id ROWS 59 PRECEDING)
)
SELECT
  player_id, game_date, season, team_id, games, season_games,
  season_minutes, season_points, season_rebounds, season_assists,
  minutes AS last_minutes, list_avg(minute[-10:]) AS ten_minutes, list_avg(point[-10:]) AS ten_points,
  list_avg(rebound[-10:]) AS ten_rebounds, list_avg(assist[-10:]) AS ten_assists, list_avg(minute[-5:]) AS five_minutes,
  recent(minute, $fast::DOUBLE[]) AS fast_minutes, recent(minute, $middle::DOUBLE[]) AS middle_minutes,
  recent(minute, $slow::DOUBLE[]) AS slow_minutes,
  per_minute(point, minute, $slow::DOUBLE[]) AS points_rate, per_minute(rebound, minute, $slow::DOUBLE[]) AS rebounds_rate,
  per_minute(assist, minute, $slow::DOUBLE[]) AS assists_rate, per_minute(shot, minute, $slow::DOUBLE[]) AS shots_rate,
  per_minute(three, minute, $slow::DOUBLE[]) AS threes_rate, per_minute(free, minute, $slow::DOUBLE[]) AS free_rate,
  per_minute(turnover, minute, $slow::DOUBLE[]) AS turnovers_rate,
  per_minute(offensive, minute, $slow::DOUBLE[]) AS offensive_rate, per_minute(foul, minute, $slow::DOUBLE[]) AS fouls_rate,
  per_minute(difference, minute, $slow::DOUBLE[]) AS difference_rate,
  per_minute(point, minute, $middle::DOUBLE[]) AS points_middle_rate,
  recent(used, $slow::DOUBLE[]) AS used_share, recent(point, $middle::DOUBLE[]) AS middle_points,
  recent(rebound, $middle::DOUBLE[]) AS middle_rebounds, recent(assist, $middle::DOUBLE[]) AS middle_assists,
  list_max(minute[-10:]) AS most_minutes, list_min(minute[-10:]) AS least_minutes
FROM games
ORDER BY player_id, game_date
