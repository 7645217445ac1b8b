-- The day's main line of each player and stat: the one most books offer, then the one nearest to the middle, then the lower.
WITH offers AS (
  SELECT *, max(file) OVER (PARTITION BY player, market, game) AS newest
  FROM read_parquet($file)
  WHERE game_date = $day AND reason IS NULL
),
books AS (SELECT DISTINCT player, market, bookmaker, offered FROM offers WHERE file = newest),
ranked AS (
  SELECT player, market, offered, count(*) AS books, median(any_value(offered)) OVER (PARTITION BY player, market) AS middle
  FROM books
  GROUP BY player, market, offered
)
SELECT player, spelling(player) AS spelling, market AS stat, arg_min(offered, (-books, abs(offered - middle), offered)) AS line,
  count(*)::INTEGER AS lines
FROM ranked
GROUP BY player, market
ORDER BY player, market
