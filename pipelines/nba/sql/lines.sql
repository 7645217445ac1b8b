-- The day's main line of each player and stat: the one most books offer, then the one nearest to the middle, then the lower.
WITH aliases AS (
  SELECT spelling(offered) AS alias, spelling(logged) AS logged
  FROM read_csv($aliases, header = true, columns = {'offered': 'VARCHAR', 'logged': 'VARCHAR', 'why': 'VARCHAR'})
),
named AS (
  SELECT *, spelling(player) AS alias FROM read_parquet($file) WHERE game_date = $day AND reason IS NULL
),
offers AS (
  SELECT named.*, coalesce(logged, alias) AS spelling, max(file) OVER (PARTITION BY spelling, market, game) AS newest
  FROM named LEFT JOIN aliases USING (alias)
),
books AS (SELECT min(player) AS player, spelling, market, bookmaker, offered FROM offers WHERE file = newest GROUP BY ALL),
ranked AS (
  SELECT min(player) AS player, spelling, market, offered, count(*) AS books,
    median(any_value(offered)) OVER (PARTITION BY spelling, market) AS middle
  FROM books
  GROUP BY spelling, market, offered
)
SELECT min(player) AS player, spelling, market AS stat, arg_min(offered, (-books, abs(offered - middle), offered)) AS line,
  count(*)::INTEGER AS lines
FROM ranked
GROUP BY spelling, market
ORDER BY player, market
