-- The rows that are left out of the day, in the order of the files.
SELECT season, line, reason FROM rejected
