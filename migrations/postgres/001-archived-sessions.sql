-- 001-archived-sessions.sql: the table that postgresArchive writes ended sessions to.
--
-- Apply it once, by a role that may create tables, and again whenever you like: it changes nothing that is there.
--   psql "$DATABASE_URL" -f 001-archived-sessions.sql
-- The role of the service needs INSERT, UPDATE and SELECT on the table (UPDATE and SELECT because a session may come twice); that of
-- `sessionwise erase` SELECT and DELETE. For another table or schema, change the names here and give them to postgresArchive as `table` and `schema`.

BEGIN;

CREATE TABLE IF NOT EXISTS archived_sessions (
  -- The store: one table may serve several.
  namespace    text        NOT NULL,
  -- The public id, never the token.
  session      text        NOT NULL,
  -- Who it belonged to; NULL for a visitor who was not logged in.
  user_id      text,
  device       text,
  -- 'ended' by somebody, or 'expired' by itself.
  reason       text        NOT NULL CHECK (reason IN ('ended', 'expired')),
  created_at   timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  ended_at     timestamptz NOT NULL,
  -- The session's fields, without its cookie.
  data         jsonb       NOT NULL,
  -- totalPages, uniquePages, uniquePagesExact, activeMinutes, firstActiveMinute (milliseconds of the epoch); NULL where
  -- nothing was known any more.
  activity     jsonb,
  -- PostgreSQL keeps neither U+0000 nor half a surrogate pair. Where user_id, device or data held one, this is true, and
  -- in all three (in data within each string and name) \u0000 or \ud800 ... \udfff stands for it as six characters, and
  -- \\ for a backslash. Elsewhere a backslash is a backslash.
  escaped      boolean     NOT NULL DEFAULT false,
  -- When it was written last.
  archived_at  timestamptz NOT NULL DEFAULT now(),
  -- created_at belongs to it: the session of a caller's own token can live again after it has expired, and both lives
  -- are kept.
  PRIMARY KEY (namespace, session, created_at)
);

-- "All sessions of this user", for an account's history and for a request to be forgotten.
CREATE INDEX IF NOT EXISTS archived_sessions_user_id ON archived_sessions (user_id) WHERE user_id IS NOT NULL;
-- "Everything that ended before", for reports and for deleting what is old.
CREATE INDEX IF NOT EXISTS archived_sessions_ended_at ON archived_sessions (ended_at);

COMMIT;
