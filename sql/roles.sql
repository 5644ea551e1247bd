-- The three roles, made once a cluster by a superuser (psql -f roles.sql);
-- running it again changes nothing.
--
--   turnout_owner   owns the schema; nobody logs in as it
--   turnout_ingest  the ingest daemon: reads and writes rows, owns nothing
--   turnout_web     the FastCGI workers: SELECT, read-only, short statements
--
-- None has a password here: use peer or a pg_ident map on the Unix socket,
-- or ALTER ROLE ... PASSWORD and scram-sha-256 over TCP.
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'turnout_owner') THEN
		CREATE ROLE turnout_owner NOLOGIN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'turnout_ingest') THEN
		CREATE ROLE turnout_ingest LOGIN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'turnout_web') THEN
		CREATE ROLE turnout_web LOGIN;
	END IF;
END
$$;

ALTER ROLE turnout_owner SET search_path = turnout, pg_temp;
ALTER ROLE turnout_ingest SET search_path = turnout, pg_temp;
ALTER ROLE turnout_web SET search_path = turnout, pg_temp;

-- What a crash takes back of a batch it takes back with the batch's offset,
-- and Kafka still has the records; so a batch need not wait for the disk.
ALTER ROLE turnout_ingest SET synchronous_commit = off;
-- Rows are locked in the order of their keys, so that daemons side by side
-- do not deadlock; another plan than an index scan might take another order.
ALTER ROLE turnout_ingest SET enable_hashjoin = off;
ALTER ROLE turnout_ingest SET enable_mergejoin = off;
ALTER ROLE turnout_ingest SET enable_seqscan = off;
ALTER ROLE turnout_ingest SET enable_bitmapscan = off;
ALTER ROLE turnout_ingest SET lock_timeout = '10s';
-- A daemon whose machine is gone leaves claims of partitions behind; others
-- wait for them.
ALTER ROLE turnout_ingest SET tcp_keepalives_idle = 10;
ALTER ROLE turnout_ingest SET tcp_keepalives_interval = 3;
ALTER ROLE turnout_ingest SET tcp_keepalives_count = 3;
ALTER ROLE turnout_ingest SET tcp_user_timeout = '19s';
ALTER ROLE turnout_ingest SET idle_in_transaction_session_timeout = '30s';
-- A statement that was given up after pg.timeout_ms lets go of its locks.
ALTER ROLE turnout_ingest SET client_connection_check_interval = '1s';

ALTER ROLE turnout_web SET default_transaction_read_only = on;
-- Below pg.timeout_ms (1 s): a slow statement is to look slow, not away.
ALTER ROLE turnout_web SET statement_timeout = '900ms';
ALTER ROLE turnout_web SET idle_in_transaction_session_timeout = '5s';
-- A worker that was killed, or waits no longer, leaves no statement behind.
ALTER ROLE turnout_web SET client_connection_check_interval = '1s';
