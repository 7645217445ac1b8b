-- The tables of a store, as SQLite has them. A body is the whole value as JSON; the columns beside it repeat what is
-- searched for. Instants are microseconds since 1970 in UTC, whatever zone the server or a session has. Text compares
-- by its bytes, whatever the database's own order. What belongs to a phase has no foreign key: it would lock the
-- phase's row for every task, and each insert looks for its phase anyway. Names that may be longer than an index takes
-- are found by a hash: the first 16 bytes of BLAKE2b of the name in UTF-8.

CREATE TABLE ledger (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  schema integer NOT NULL,
  finished integer NOT NULL,
  commits bigint NOT NULL,
  entries bigint NOT NULL
) WITH (fillfactor = 50);

COMMENT ON TABLE ledger IS 'One row. schema, finished: the newest migration whose before-part, whose after-part was made. commits: how many there were. entries: the last number given to an entry.';

CREATE TABLE writer (
  name text COLLATE "C" PRIMARY KEY,
  last bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

COMMENT ON TABLE writer IS 'The last commit of each process, so that one whose connection broke can tell whether it happened.';

CREATE TABLE run (
  number bigint PRIMARY KEY,
  id text COLLATE "C" NOT NULL UNIQUE,
  pipeline text COLLATE "C" NOT NULL,
  mode text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  generation bigint NOT NULL,
  state text COLLATE "C" NOT NULL,
  superseded bigint NOT NULL,
  started_at bigint NOT NULL,
  body text COLLATE "C" NOT NULL
);

CREATE INDEX run_identity ON run (pipeline, mode, key, generation, number);

CREATE INDEX run_started ON run (started_at, number);

CREATE INDEX run_running ON run (started_at, number) WHERE state = 'running' AND superseded = 0;

CREATE TABLE plan (
  run text COLLATE "C" PRIMARY KEY REFERENCES run (id),
  body text COLLATE "C" NOT NULL
);

CREATE TABLE phase (
  id bigint PRIMARY KEY,
  run text COLLATE "C" NOT NULL REFERENCES run (id),
  name text COLLATE "C" NOT NULL,
  idx bigint NOT NULL,
  state text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  due_at bigint,
  body text COLLATE "C" NOT NULL
) WITH (fillfactor = 50);

CREATE INDEX phase_run ON phase (run, idx);

CREATE INDEX phase_due ON phase (due_at, id) WHERE due_at IS NOT NULL;

CREATE TABLE page (
  phase bigint NOT NULL,
  number bigint NOT NULL,
  lo bigint NOT NULL,
  n bigint NOT NULL,
  body text COLLATE "C" NOT NULL,
  PRIMARY KEY (phase, number)
);

CREATE INDEX page_lo ON page (phase, lo, number) WHERE n > 0;

CREATE TABLE item_name (
  phase bigint NOT NULL,
  hash bytea NOT NULL,
  ordinal bigint NOT NULL,
  PRIMARY KEY (phase, hash)
);

CREATE TABLE task (
  phase bigint NOT NULL,
  lo bigint NOT NULL,
  work bigint NOT NULL,
  hi bigint NOT NULL,
  rank bigint NOT NULL,
  state bigint NOT NULL,
  token bigint NOT NULL,
  available_at bigint,
  owner text COLLATE "C",
  unsettled bigint NOT NULL,
  kinds bytea NOT NULL,
  body text COLLATE "C" NOT NULL,
  PRIMARY KEY (phase, lo, work)
) WITH (fillfactor = 70);

COMMENT ON TABLE task IS 'work: 0 member, 1 chunk, 2 outside, 3 enumerate, 4 then. state: 0 queued, 1 leased, 2 ended, 3 outside. kinds: one byte a member.';

CREATE INDEX task_open ON task (phase, available_at, rank, lo, work) WHERE available_at IS NOT NULL;

CREATE INDEX task_leased ON task (phase, lo, work, owner) WHERE state = 1;

CREATE INDEX task_pending ON task (phase, lo, work) WHERE unsettled > 0;

CREATE TABLE opening (
  phase bigint PRIMARY KEY,
  body text COLLATE "C" NOT NULL
);

CREATE TABLE entry (
  id bigint PRIMARY KEY,
  kind text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  phase text COLLATE "C" NOT NULL,
  member text COLLATE "C" NOT NULL,
  at bigint NOT NULL,
  digest text COLLATE "C" NOT NULL,
  body text COLLATE "C" NOT NULL
);

CREATE INDEX entry_scope ON entry (kind, scope, at, id);

CREATE INDEX entry_member ON entry (kind, scope, hashtextextended(member, 0), at, id) WHERE member <> '';

CREATE TABLE tally (
  scope text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  number bigint NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (scope, hash)
);

CREATE TABLE outbox (
  number bigint PRIMARY KEY,
  key text COLLATE "C" NOT NULL,
  route text COLLATE "C" NOT NULL,
  run text COLLATE "C" NOT NULL,
  sent bigint NOT NULL,
  created_at bigint NOT NULL,
  ready_at bigint NOT NULL,
  attempts bigint NOT NULL,
  error text COLLATE "C",
  body text COLLATE "C" NOT NULL,
  hash bytea NOT NULL UNIQUE
);

CREATE INDEX outbox_unsent ON outbox (ready_at, created_at, number) WHERE sent = 0;

CREATE TABLE halt (
  scope text COLLATE "C" NOT NULL,
  since bigint NOT NULL,
  until bigint,
  actor text COLLATE "C" NOT NULL,
  reason text COLLATE "C" NOT NULL,
  PRIMARY KEY (since, scope)
);

CREATE TABLE process (
  name text COLLATE "C" PRIMARY KEY,
  body text COLLATE "C" NOT NULL
);

INSERT INTO ledger (schema, finished, commits, entries) VALUES (0, 0, 0, 0);
