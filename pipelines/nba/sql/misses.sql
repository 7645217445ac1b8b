-- The biggest misses of the graded day, of the ensemble.
SELECT game_date, player_name, team, opponent, stat, value, outcome, value - outcome AS error, low80, high80, line
FROM joined
WHERE system = 'ensemble' AND outcome IS NOT NULL
ORDER BY abs(value - outcome) DESC, player_name, stat
LIMIT 20
