-- Sums of each graded day, so that no later day need look at all rows again; errors in whole hundredths add up exactly.
CREATE TABLE IF NOT EXISTS grade_days (
  mode VARCHAR, season INTEGER, game_date DATE, stat VARCHAR, system VARCHAR, eligible BOOLEAN, minutes_band VARCHAR,
  lined BOOLEAN, n BIGINT, absolute BIGINT, signed BIGINT, covered BIGINT, line_absolute BIGINT, line_signed BIGINT,
  withins BIGINT[]
)
