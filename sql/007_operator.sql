-- What the operator's commands need beyond the daemon: dead letters that were
-- applied or dropped go, and who moved an offset, and why, is kept.
GRANT DELETE ON dead_letters TO turnout_ingest;

CREATE TABLE offset_changes (
	change_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	changed_by text NOT NULL DEFAULT session_user,
	login      text,
	topic      text NOT NULL,
	part       integer NOT NULL,
	old_offset bigint,
	new_offset bigint NOT NULL CHECK (new_offset >= 0),
	reason     text NOT NULL CHECK (reason <> '')
);
COMMENT ON TABLE offset_changes IS 'A row for each turnout-ingest offsets set, written in the transaction that moved the offset; never changed';
COMMENT ON COLUMN offset_changes.change_id IS 'Number of the change, from 1';
COMMENT ON COLUMN offset_changes.changed_at IS 'When, by the clock of the database';
COMMENT ON COLUMN offset_changes.changed_by IS 'Role of the database that did it';
COMMENT ON COLUMN offset_changes.login IS 'Login of the operating system that ran the command, as it said; NULL = not known';
COMMENT ON COLUMN offset_changes.topic IS 'Kafka topic';
COMMENT ON COLUMN offset_changes.part IS 'Kafka partition';
COMMENT ON COLUMN offset_changes.old_offset IS 'next_offset before; NULL = the partition had no row';
COMMENT ON COLUMN offset_changes.new_offset IS 'next_offset afterwards';
COMMENT ON COLUMN offset_changes.reason IS 'Why, in the operator''s words';

GRANT SELECT, INSERT ON offset_changes TO turnout_ingest;
