-- A model's inputs as numbers, in the order of the features' table; what is not known stays unset.
SELECT {columns},
  CASE venue WHEN 'home' THEN 1.0 WHEN 'away' THEN 0.0 END AS at_home,
  CASE WHEN team_rest = 1 THEN 1.0 WHEN team_rest > 1 THEN 0.0 END AS back_to_back,
  CASE position WHEN 'G' THEN 0.0 WHEN 'F' THEN 1.0 WHEN 'C' THEN 2.0 END AS position_number,
  moved::INTEGER::DOUBLE AS moved_number
FROM {source}
ORDER BY game_date, game_id, team_id, player_id
