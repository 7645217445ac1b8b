-- A name as it is compared: without accents, dots, case or a generation.
CREATE OR REPLACE TEMP MACRO spelling(name) AS
  trim(regexp_replace(regexp_replace(lower(strip_accents(name)), '[^a-z ]', '', 'g'), ' (jr|sr|ii|iii|iv|v)$', ''));
