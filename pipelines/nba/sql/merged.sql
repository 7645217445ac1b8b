-- Which of the day's players have a row.
SELECT player_id FROM predictions WHERE game_date = $day AND mode = $mode
