-- How many outcomes lay within intervals of each size.
SELECT stat, system, nominal::INTEGER AS nominal, (sum(held) / sum(n))::DOUBLE AS covered, sum(n)::BIGINT AS n
FROM (SELECT stat, system, n, unnest(range(10, 100, 10)) AS nominal, unnest(withins) AS held FROM days WHERE eligible)
GROUP BY stat, system, nominal
ORDER BY list_position(['points', 'rebounds', 'assists'], stat), system, nominal
