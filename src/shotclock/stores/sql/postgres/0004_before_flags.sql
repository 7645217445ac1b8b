-- Flags: what was set for each, by whom and why.

CREATE TABLE flag (
  name text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  body text COLLATE "C" NOT NULL
);

CREATE VIEW flags AS
SELECT name, version, body::json -> 'declared' ->> 'owner' AS owner, body::json -> 'declared' ->> 'purpose' AS purpose,
  body::json ->> 'split' AS split, (body::json ->> 'at')::timestamptz AS at, body::json ->> 'actor' AS actor,
  body::json ->> 'reason' AS reason
FROM flag;

COMMENT ON VIEW flags IS 'What is set for each flag, since when, by whom and why; no split: as it is declared.';
