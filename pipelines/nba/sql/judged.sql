-- What is asked of each row's interval.
SELECT stat, system, value, outcome FROM read_parquet($joined) ORDER BY game_id, team, player_id, stat, system
