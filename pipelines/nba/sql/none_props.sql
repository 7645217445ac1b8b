-- No lines: the shape of the table without a row.
SELECT NULL::VARCHAR AS spelling, NULL::VARCHAR AS stat, NULL::DOUBLE AS line WHERE false
