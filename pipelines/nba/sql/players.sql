-- What is known of the day's players, each with his main lines, which are found by the spelling of his name.
WITH lines AS (
  SELECT spelling, max(line) FILTER (stat = 'points') AS points_line, max(line) FILTER (stat = 'rebounds') AS rebounds_line,
    max(line) FILTER (stat = 'assists') AS assists_line
  FROM read_parquet($lines)
  GROUP BY spelling
)
SELECT {columns}
FROM read_parquet($features) AS features LEFT JOIN lines ON lines.spelling = spelling(features.player)
WHERE features.game_date = $day
ORDER BY game_id, team_id, player_id
