-- What an earlier owner of the graded day left.
DELETE FROM {table} WHERE mode = $mode AND game_date = (SELECT max(game_date) FROM read_parquet($file))
