-- What an earlier owner of the day left.
DELETE FROM predictions WHERE game_date = $day AND mode = $mode
