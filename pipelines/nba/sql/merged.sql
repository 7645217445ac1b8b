-- Which of the day's players have rows.
SELECT DISTINCT player_id FROM predictions WHERE game_date = $day AND mode = $mode
