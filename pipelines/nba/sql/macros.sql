-- What a published value must look like, as text, before it is cast; NULL says that it does.
CREATE OR REPLACE TEMP MACRO due(name, value, what) AS
  CASE WHEN value IS NULL THEN name || ' is missing' ELSE name || ' is ' || value || ', due is ' || what END;
CREATE OR REPLACE TEMP MACRO unlike(name, value, pattern, what) AS
  CASE WHEN value IS NULL OR NOT regexp_full_match(value, pattern) THEN due(name, value, what) END;
CREATE OR REPLACE TEMP MACRO no_text(name, value) AS unlike(name, value, '.+', 'a text');
CREATE OR REPLACE TEMP MACRO no_id(name, value) AS unlike(name, value, '[0-9]{1,15}', 'a whole number');
CREATE OR REPLACE TEMP MACRO no_count(name, value) AS unlike(name, value, '[0-9]{1,4}', 'a whole number from 0');
CREATE OR REPLACE TEMP MACRO no_number(name, value) AS unlike(name, value, '-?[0-9]{1,6}([.][0-9]+)?', 'a number');
CREATE OR REPLACE TEMP MACRO no_share(name, value) AS
  CASE WHEN value IS NOT NULL THEN unlike(name, value, '[01]([.][0-9]+)?', 'nothing or a share of 1') END;
CREATE OR REPLACE TEMP MACRO whole(value) AS regexp_replace(value, '[.]0+$', '');
CREATE OR REPLACE TEMP MACRO share(made, tried) AS
  CASE WHEN try_cast(tried AS INTEGER) > 0 THEN round(try_cast(made AS INTEGER) / try_cast(tried AS INTEGER), 3) END;
