-- Everybody's first known game. Those who came when games had been known for a month are truly new.
SELECT player_id, game_date, minutes, points, rebounds, assists,
  game_date > min(game_date) OVER () + 30 AS new
FROM read_parquet($games)
QUALIFY row_number() OVER (PARTITION BY player_id ORDER BY game_date, game_id) = 1
ORDER BY game_date, player_id
