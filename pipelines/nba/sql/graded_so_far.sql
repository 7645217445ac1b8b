-- The sums of this season's days before the run's, in its mode.
CREATE OR REPLACE TEMP TABLE days AS
SELECT * FROM grade_days
WHERE mode = $mode AND game_date < $day
  AND season = (SELECT max(season) FROM grade_days WHERE mode = $mode AND game_date < $day)
