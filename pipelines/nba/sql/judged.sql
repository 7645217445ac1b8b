-- What is asked of each row's interval, and whose it is.
SELECT stat, system, value, outcome, player_id FROM joined
