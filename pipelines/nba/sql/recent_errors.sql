-- Each system's error lately, by which the ensemble weighs.
SELECT stat, system, (sum(absolute) / sum(n) / 100)::DOUBLE AS mae
FROM days WHERE eligible AND game_date >= $since AND system <> 'ensemble' GROUP BY stat, system ORDER BY stat, system
