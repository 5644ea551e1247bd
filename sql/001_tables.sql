-- The tables: RSVPs by id, the details of what they point at, counters, days,
-- dead letters, offsets.  No foreign keys: details arrive with the RSVP that
-- names them, in the same transaction, and every join is on an id.
--
-- Times that come from messages are bigint milliseconds since 1970 (UTC), as
-- they were sent; times of our own are timestamptz.

CREATE TYPE rsvp_response AS ENUM ('yes', 'waitlist', 'no');
COMMENT ON TYPE rsvp_response IS
	'Answer of an RSVP. The order of the values is part of the version rule: yes < waitlist < no. Only yes counts.';

CREATE TABLE rsvps (
	rsvp_id   bigint PRIMARY KEY,
	event_id  text COLLATE "C" NOT NULL,
	member_id bigint,
	mtime_ms  bigint NOT NULL,
	response  rsvp_response NOT NULL,
	guests    integer CHECK (guests BETWEEN 0 AND 1000)
) WITH (fillfactor = 85);
COMMENT ON TABLE rsvps IS
	'The current state of every RSVP: the greatest version of its rsvp_id among all valid messages. Version: (floor((mtime_ms + 500) / 1000), mtime_ms % 1000 <> 0, mtime_ms, response, guests, event_id, member_id), an absent guests or member_id lowest.';
COMMENT ON COLUMN rsvps.rsvp_id IS 'Id of the RSVP (one member at one event), from the message';
COMMENT ON COLUMN rsvps.event_id IS 'Event the RSVP is for; ordered by bytes';
COMMENT ON COLUMN rsvps.member_id IS 'Member who answered; NULL when the message had none';
COMMENT ON COLUMN rsvps.mtime_ms IS 'When the member last changed the RSVP: milliseconds since 1970-01-01 UTC, from the message';
COMMENT ON COLUMN rsvps.response IS 'The answer: yes, waitlist or no';
COMMENT ON COLUMN rsvps.guests IS 'People brought along, 0 to 1000; NULL when the message did not say (counts as 0)';

-- The truth of any window, to the millisecond, and an event's history.
CREATE INDEX rsvps_event_mtime_yes ON rsvps (event_id, mtime_ms) INCLUDE (guests) WHERE response = 'yes';

CREATE TABLE groups (
	group_id     bigint PRIMARY KEY,
	name         text,
	urlname      text,
	city         text,
	state        text,
	country      text,
	lat          double precision,
	lon          double precision,
	topics       jsonb,
	content_hash bigint NOT NULL,
	src_ts       bigint NOT NULL,
	src_part     integer NOT NULL,
	src_offset   bigint NOT NULL,
	changed_at   timestamptz
) WITH (fillfactor = 85);
CREATE TABLE venues (
	venue_id     bigint PRIMARY KEY,
	name         text,
	lat          double precision,
	lon          double precision,
	content_hash bigint NOT NULL,
	src_ts       bigint NOT NULL,
	src_part     integer NOT NULL,
	src_offset   bigint NOT NULL,
	changed_at   timestamptz
) WITH (fillfactor = 85);
CREATE TABLE members (
	member_id    bigint PRIMARY KEY,
	name         text,
	photo        text,
	content_hash bigint NOT NULL,
	src_ts       bigint NOT NULL,
	src_part     integer NOT NULL,
	src_offset   bigint NOT NULL,
	changed_at   timestamptz
) WITH (fillfactor = 85);
CREATE TABLE events (
	event_id     text COLLATE "C" PRIMARY KEY,
	name         text,
	url          text,
	starts_ms    bigint,
	group_id     bigint NOT NULL,
	venue_id     bigint,
	content_hash bigint NOT NULL,
	src_ts       bigint NOT NULL,
	src_part     integer NOT NULL,
	src_offset   bigint NOT NULL,
	changed_at   timestamptz
) WITH (fillfactor = 85);

CREATE TABLE event_counts (
	event_id  text COLLATE "C" PRIMARY KEY,
	rsvps     bigint NOT NULL CHECK (rsvps >= 0),
	headcount bigint NOT NULL CHECK (headcount >= rsvps),
	first_day date NOT NULL,
	last_day  date NOT NULL
) WITH (fillfactor = 85);
-- An all-time board is the head of one of these, however many events there are.
CREATE INDEX event_counts_rsvps ON event_counts (rsvps DESC, event_id);
CREATE INDEX event_counts_headcount ON event_counts (headcount DESC, event_id);

CREATE TABLE dead_letters (
	dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	topic         text NOT NULL,
	part          integer NOT NULL,
	record_offset bigint NOT NULL,
	record_ts     bigint,
	key           bytea,
	value         bytea,
	value_size    bigint NOT NULL,
	value_sha256  bytea NOT NULL,
	reason        text NOT NULL,
	detail        text,
	received_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	UNIQUE (topic, part, record_offset, value_sha256)
);

CREATE TABLE ingest_offsets (
	topic          text NOT NULL,
	part           integer NOT NULL,
	next_offset    bigint NOT NULL CHECK (next_offset >= 0),
	cluster_id     text,
	last_offset    bigint,
	last_ts        bigint,
	last_crc       bigint,
	high_watermark bigint,
	checked_at     timestamptz,
	stopped_why    text,
	PRIMARY KEY (topic, part)
) WITH (fillfactor = 50);

CREATE TABLE ingest_gate ();

CREATE TABLE imports (
	import_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	file        text NOT NULL,
	started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
	finished_at timestamptz,
	lines       bigint NOT NULL DEFAULT 0
);

COMMENT ON TABLE events IS 'Details of an event: those of the latest record in log order (src_*) that named it';
COMMENT ON COLUMN events.event_id IS 'Id of the event, from the message, 1 to 512 bytes; ordered by bytes';
COMMENT ON COLUMN events.name IS 'Name as it was sent, up to 4096 bytes; NULL when absent';
COMMENT ON COLUMN events.url IS 'Address of the event''s page, as it was sent: not to be trusted; NULL when absent';
COMMENT ON COLUMN events.starts_ms IS 'Start of the event: milliseconds since 1970-01-01 UTC; NULL when absent';
COMMENT ON COLUMN events.group_id IS 'Group that holds the event';
COMMENT ON COLUMN events.venue_id IS 'Venue of the event; NULL when absent';

COMMENT ON TABLE groups IS 'Details of a group: those of the latest record in log order (src_*) that named it';
COMMENT ON COLUMN groups.group_id IS 'Id of the group, from the message';
COMMENT ON COLUMN groups.name IS 'Name as it was sent; NULL when absent';
COMMENT ON COLUMN groups.urlname IS 'Name in addresses (may be any Unicode text); NULL when absent';
COMMENT ON COLUMN groups.city IS 'City as it was sent; NULL when absent';
COMMENT ON COLUMN groups.state IS 'State or province (US and CA only in the stream); NULL when absent';
COMMENT ON COLUMN groups.country IS 'Country code as it was sent (two lower-case letters in the stream); NULL when absent';
COMMENT ON COLUMN groups.lat IS 'Latitude, degrees north, -90 to 90; NULL when absent';
COMMENT ON COLUMN groups.lon IS 'Longitude, degrees east, -180 to 180; NULL when absent';
COMMENT ON COLUMN groups.topics IS 'Topics in the message''s order: [{"urlkey": text, "topic_name": text}, ...]; NULL when absent';

COMMENT ON TABLE venues IS 'Details of a venue: those of the latest record in log order (src_*) that named it';
COMMENT ON COLUMN venues.venue_id IS 'Id of the venue, from the message';
COMMENT ON COLUMN venues.name IS 'Name as it was sent; NULL when absent';
COMMENT ON COLUMN venues.lat IS 'Latitude, degrees north; NULL when absent or unknown (the stream says unknown by lat = lon = 0)';
COMMENT ON COLUMN venues.lon IS 'Longitude, degrees east; NULL when absent or unknown';

COMMENT ON TABLE members IS 'Details of a member: those of the latest record in log order (src_*) that named it; only the id where store.members = no';
COMMENT ON COLUMN members.member_id IS 'Id of the member, from the message';
COMMENT ON COLUMN members.name IS 'Name as it was sent; NULL when absent or not stored';
COMMENT ON COLUMN members.photo IS 'Address of a picture, as it was sent: not to be trusted; NULL when absent or not stored';

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['events', 'groups', 'venues', 'members'] LOOP
		EXECUTE format('COMMENT ON COLUMN %I.content_hash IS %L', t,
			'64-bit hash of the details, to tell a change from a repetition; an internal of the ingest daemon');
		EXECUTE format('COMMENT ON COLUMN %I.src_ts IS %L', t,
			'Log order, first part: timestamp of the record (ms since 1970-01-01 UTC); for an imported line its mtime');
		EXECUTE format('COMMENT ON COLUMN %I.src_part IS %L', t,
			'Log order, second part: Kafka partition; -1 for an imported line');
		EXECUTE format('COMMENT ON COLUMN %I.src_offset IS %L', t,
			'Log order, third part: Kafka offset; line number from 0 for an imported line');
		EXECUTE format('COMMENT ON COLUMN %I.changed_at IS %L', t,
			'When other details last replaced stored ones, by the clock of the database; NULL = never');
	END LOOP;
END
$$;

COMMENT ON TABLE event_counts IS 'Current yes RSVPs of an event, all time. Kept by triggers on rsvps; an event without a yes has no row';
COMMENT ON COLUMN event_counts.event_id IS 'The event; ordered by bytes';
COMMENT ON COLUMN event_counts.rsvps IS 'RSVPs whose current answer is yes';
COMMENT ON COLUMN event_counts.headcount IS 'People: the sum of 1 + guests over those RSVPs';
COMMENT ON COLUMN event_counts.first_day IS 'First day (UTC) of event_days that the event has: a window that ends before it need not look at the event';
COMMENT ON COLUMN event_counts.last_day IS 'Last day (UTC) of event_days that the event has';

COMMENT ON TABLE dead_letters IS 'Records that are no valid message, kept whole for the operator; written in the transaction that moves the offset past them';
COMMENT ON COLUMN dead_letters.dead_letter_id IS 'Number of the dead letter, in order of arrival';
COMMENT ON COLUMN dead_letters.topic IS 'Kafka topic, or import:FILE for a line of a file';
COMMENT ON COLUMN dead_letters.part IS 'Kafka partition; -1 for a line of a file';
COMMENT ON COLUMN dead_letters.record_offset IS 'Kafka offset; line number from 0 for a line of a file';
COMMENT ON COLUMN dead_letters.record_ts IS 'Timestamp of the record: ms since 1970-01-01 UTC; NULL for a line of a file';
COMMENT ON COLUMN dead_letters.key IS 'Key of the record, byte for byte; NULL when it had none';
COMMENT ON COLUMN dead_letters.value IS 'Value of the record, byte for byte, at most its first 1048576 bytes; NULL when it had none';
COMMENT ON COLUMN dead_letters.value_size IS 'Length of the whole value, bytes';
COMMENT ON COLUMN dead_letters.value_sha256 IS 'SHA-256 of the whole value';
COMMENT ON COLUMN dead_letters.reason IS 'Reason code; turnout-ingest(8) lists them';
COMMENT ON COLUMN dead_letters.detail IS 'The reason in words; NULL when the code says all';
COMMENT ON COLUMN dead_letters.received_at IS 'When it was put here, by the clock of the database';

COMMENT ON TABLE ingest_offsets IS 'How far each Kafka partition is applied. next_offset moves by compare-and-swap, first in the transaction that applies a batch; Kafka''s own group offsets are never read';
COMMENT ON COLUMN ingest_offsets.topic IS 'Kafka topic';
COMMENT ON COLUMN ingest_offsets.part IS 'Kafka partition';
COMMENT ON COLUMN ingest_offsets.next_offset IS 'Offset of the first record that is not applied';
COMMENT ON COLUMN ingest_offsets.cluster_id IS 'Id of the Kafka cluster the offset belongs to; NULL = not known yet';
COMMENT ON COLUMN ingest_offsets.last_offset IS 'Offset of the last record that was applied; NULL = none yet';
COMMENT ON COLUMN ingest_offsets.last_ts IS 'Timestamp of that record: ms since 1970-01-01 UTC';
COMMENT ON COLUMN ingest_offsets.last_crc IS 'Hash of that record''s key and value: its fingerprint, checked at each start';
COMMENT ON COLUMN ingest_offsets.high_watermark IS 'End of the partition as the broker last told: offset of the next record to be produced';
COMMENT ON COLUMN ingest_offsets.checked_at IS 'When high_watermark was seen, by the clock of the database';
COMMENT ON COLUMN ingest_offsets.stopped_why IS 'Why the daemon reads no further, and the command that continues, as its log said; NULL = nothing stopped it';

COMMENT ON TABLE ingest_gate IS 'Always empty. A batch locks it (EXCLUSIVE) before anything else, so that daemons write one after the other, and one that waits holds no snapshot and no row';

COMMENT ON TABLE imports IS 'A row for each file that turnout-ingest import read';
COMMENT ON COLUMN imports.import_id IS 'Number of the import';
COMMENT ON COLUMN imports.file IS 'Name of the file, without its folder';
COMMENT ON COLUMN imports.started_at IS 'When it began';
COMMENT ON COLUMN imports.finished_at IS 'When it was done; NULL = running, or broken off';
COMMENT ON COLUMN imports.lines IS 'Lines read and committed, bad ones included';

GRANT USAGE ON SCHEMA turnout TO turnout_ingest, turnout_web;
GRANT SELECT ON rsvps, groups, venues, members, events, event_counts, ingest_offsets, imports TO turnout_ingest, turnout_web;
-- Into rsvps only from 002 on, when what is written there is counted.
GRANT INSERT, UPDATE ON groups, venues, members, events, ingest_offsets, imports TO turnout_ingest;
GRANT SELECT, INSERT ON dead_letters TO turnout_ingest;
GRANT UPDATE ON ingest_gate TO turnout_ingest;
