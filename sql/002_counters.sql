-- Counters and days follow rsvps by statement-level triggers, so that they
-- equal the rows at every committed instant whoever writes.
--
-- Counter rows are locked in one order, and by one transaction at a time
-- (the advisory lock in rsvps_count): INSERT .. ON CONFLICT fires an update
-- trigger and an insert trigger, so two transactions that each took their
-- rows in event_id order would still make two passes, and could deadlock.

-- Not STRICT: a strict function with a CASE is not inlined, and called once a
-- row it makes the whole of ingest three times slower.
CREATE FUNCTION day_bound(headcount bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN headcount <= 3 THEN 3 WHEN headcount <= 5 THEN 5
	WHEN headcount <= 7 THEN 7 WHEN headcount <= 11 THEN 11
	WHEN headcount <= 15 THEN 15 WHEN headcount <= 23 THEN 23
	WHEN headcount <= 31 THEN 31 WHEN headcount <= 47 THEN 47
	WHEN headcount <= 63 THEN 63 WHEN headcount <= 95 THEN 95
	ELSE (headcount / 128) * 128 + 127 END;

CREATE TABLE event_days (
	event_id  text COLLATE "C" NOT NULL,
	day       date NOT NULL,
	rsvps     bigint NOT NULL CHECK (rsvps >= 0),
	headcount bigint NOT NULL CHECK (headcount >= rsvps),
	bound     bigint NOT NULL GENERATED ALWAYS AS (day_bound(headcount)) STORED,
	hours     bigint[] CHECK (array_dims(hours) = '[1:2][1:24]'),
	hours_made timestamptz,
	PRIMARY KEY (event_id, day),
	CHECK ((hours IS NULL) = (hours_made IS NULL))
) WITH (fillfactor = 85);
CREATE INDEX event_days_bound ON event_days (day, bound DESC, event_id) WHERE bound > 3;

COMMENT ON FUNCTION day_bound(bigint) IS
	'Upper bound of a headcount in coarse steps (3, 5, 7, 11, 15, 23, 31, 47, 63, 95, 127, then every 128). Coarse, so that most changes of a count leave the index on bound alone; takes a headcount >= 0.';
COMMENT ON TABLE event_days IS 'event_counts by the day (UTC) of the RSVP''s mtime: an event''s history, and the index that finds a window''s board. Kept by triggers on rsvps; a day without a yes has no row';
COMMENT ON COLUMN event_days.event_id IS 'The event; ordered by bytes';
COMMENT ON COLUMN event_days.day IS 'Day of mtime_ms, UTC';
COMMENT ON COLUMN event_days.rsvps IS 'RSVPs of that day whose current answer is yes';
COMMENT ON COLUMN event_days.headcount IS 'People: the sum of 1 + guests over those RSVPs';
COMMENT ON COLUMN event_days.bound IS 'day_bound(headcount): never below headcount; only bounds over 3 are indexed';
COMMENT ON COLUMN event_days.hours IS 'hours[1]: rsvps, hours[2]: headcount, up to the end of each of the day''s 24 hours (UTC): a window that begins or ends in the day has at most half an hour of rows to add up. Where headcount is above 127, else NULL';
COMMENT ON COLUMN event_days.hours_made IS 'statement_timestamp() of the statement that made the hours from the rows; later ones add to them';

CREATE FUNCTION mtime_day(mtime_ms bigint) RETURNS date
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN date '1970-01-01' + (mtime_ms / 86400000)::integer;
COMMENT ON FUNCTION mtime_day(bigint) IS
	'The day (UTC) of a time in milliseconds since 1970-01-01 UTC, which must not be negative.';

CREATE FUNCTION hours_plus(totals bigint[], hours integer[], n bigint[], people bigint[]) RETURNS bigint[]
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	FOR i IN 1 .. coalesce(cardinality(hours), 0) LOOP
		-- A time before 1970, which no daemon writes, has a negative hour.
		FOR h IN greatest(hours[i], 0) + 1 .. 24 LOOP
			totals[1][h] := totals[1][h] + n[i];
			totals[2][h] := totals[2][h] + people[i];
		END LOOP;
	END LOOP;
	RETURN totals;
END
$$;
COMMENT ON FUNCTION hours_plus(bigint[], integer[], bigint[], bigint[]) IS
	'Running totals as event_days has them in hours, with n[i] RSVPs and people[i] more in hours[i] (0 to 23), for each i.';

CREATE FUNCTION day_hours(id text, day date) RETURNS bigint[]
	LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT hours_plus(array_fill(0::bigint, ARRAY[2, 24]), array_agg(h.hour), array_agg(h.n), array_agg(h.people))
	FROM (
		SELECT (r.mtime_ms / 3600000 % 24)::integer AS hour, count(*) AS n,
			count(*) + coalesce(sum(r.guests), 0) AS people
		FROM rsvps AS r
		WHERE r.event_id = id COLLATE "C" AND r.response = 'yes'
		AND r.mtime_ms >= (day - date '1970-01-01') * 86400000::bigint
		AND r.mtime_ms < (day + 1 - date '1970-01-01') * 86400000::bigint
		GROUP BY 1) AS h;
END;
COMMENT ON FUNCTION day_hours(text, date) IS
	'What event_days is to have in hours where headcount is above 127, from the rows.';

/*
 * A day that becomes great is added up from its rows, one that was takes the
 * change. One statement may fire several of the triggers below, each with its
 * part of a change that is in the rows already: so until the client's next
 * statement a day is added up anew. Called under the lock of the triggers.
 *
 * The snapshot may be older than the lock where a transaction has one for all
 * its statements. Then rows that went unseen are missing, or too many; but
 * whoever wrote them wrote the day too, and either that fails already, or the
 * day was deleted, and its old version is met here, and fails the transaction.
 * So no condition may leave a small day out.
 */
CREATE FUNCTION hours_follow(ids text[], at bigint[], n bigint[], people bigint[]) RETURNS void
	LANGUAGE plpgsql
	-- By key, whatever the caller's settings are.
	SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off
AS $$
BEGIN
	UPDATE turnout.event_days AS d
	SET hours = turnout.hours_plus(d.hours, c.hours, c.n, c.people)
	FROM (
		SELECT h.id, h.day, array_agg(h.hour) AS hours, array_agg(h.n) AS n, array_agg(h.people) AS people
		FROM (
			SELECT u.id, date '1970-01-01' + (u.hour / 24)::integer AS day, (u.hour % 24)::integer AS hour,
				sum(u.n)::bigint AS n, sum(u.people)::bigint AS people
			FROM unnest(ids, at, n, people) AS u (id, hour, n, people)
			GROUP BY 1, 2, 3) AS h
		GROUP BY 1, 2) AS c
	WHERE d.event_id = c.id COLLATE "C" AND d.day = c.day AND d.hours_made <> statement_timestamp();
	UPDATE turnout.event_days AS d
	SET hours = turnout.day_hours(d.event_id, d.day), hours_made = statement_timestamp()
	FROM (
		SELECT DISTINCT u.id, date '1970-01-01' + (u.hour / 24)::integer AS day
		FROM unnest(ids, at) AS u (id, hour)) AS c
	WHERE d.event_id = c.id COLLATE "C" AND d.day = c.day
	AND coalesce(d.hours_made = statement_timestamp(), true);
END
$$;
REVOKE ALL ON FUNCTION hours_follow(text[], bigint[], bigint[], bigint[]) FROM PUBLIC;
COMMENT ON FUNCTION hours_follow(text[], bigint[], bigint[], bigint[]) IS
	'Brings the hours of great days up to date after these contributions, which the counts have already: n RSVPs and people of an event in an hour (at, since 1970-01-01 UTC). Of great days only.';

/*
 * Adds signed contributions (+1 for a yes that came, -1 for one that went) to
 * the counters.  The three triggers below differ only in where these come
 * from, so the statement is made once, from their source, and kept as three
 * plain functions.
 *
 * A change that only adds is an upsert; one that takes something away meets a
 * row that exists, and is an UPDATE: the proposed row of an upsert would have
 * to pass the CHECKs with its negative numbers.  A row that came to 0 goes,
 * so that the tables are a function of rsvps and not of their history.
 */
DO $do$
DECLARE
	came constant text := $$SELECT event_id, mtime_ms, 1 AS n, 1 + coalesce(guests, 0) AS people FROM new_rows WHERE response = counted$$;
	went constant text := $$SELECT event_id, mtime_ms, -1 AS n, -1 - coalesce(guests, 0) AS people FROM old_rows WHERE response = counted$$;
	-- Of two hours: an RSVP that moved counts nothing, but the hours of a great
	-- day; a small one is written too, for whoever has an older snapshot of it.
	moved constant text := $$HAVING sum(n) <> 0 OR sum(people) <> 0 OR min(mtime_ms / 3600000) <> max(mtime_ms / 3600000)$$;
	body constant text := $body$
DECLARE
	-- A parameter: plan_cache_mode is for statements with one. Without, a plan
	-- made for empty tables would be kept for as long as the session lasts.
	counted constant rsvp_response := 'yes';
	shrunk text[];
	touched date[];
	great_events text[];
	great_days date[];
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended('turnout.event_counts', 0));
	WITH days AS MATERIALIZED (
		SELECT event_id, mtime_day(mtime_ms) AS day, sum(n) AS n, sum(people) AS people
		FROM (%1$s) AS contribution
		GROUP BY 1, 2 %2$s
		ORDER BY 1, 2
	), events AS MATERIALIZED (
		SELECT event_id, sum(n)::bigint AS n, sum(people)::bigint AS people,
			min(day) AS first_day, max(day) AS last_day
		FROM days GROUP BY 1
		-- Of two days: an RSVP that moved counts nothing, but on another day.
		HAVING sum(n) <> 0 OR sum(people) <> 0 OR count(*) > 1
		ORDER BY 1
	), counts_grow AS (
		INSERT INTO event_counts AS c (event_id, rsvps, headcount, first_day, last_day)
		SELECT event_id, n, people, first_day, last_day FROM events WHERE n > 0 AND people >= n
		ON CONFLICT (event_id) DO UPDATE
		SET rsvps = c.rsvps + excluded.rsvps, headcount = c.headcount + excluded.headcount,
			first_day = least(c.first_day, excluded.first_day),
			last_day = greatest(c.last_day, excluded.last_day)
	), counts_shrink AS (
		UPDATE event_counts AS c
		SET rsvps = c.rsvps + e.n, headcount = c.headcount + e.people,
			first_day = least(c.first_day, e.first_day), last_day = greatest(c.last_day, e.last_day)
		FROM events AS e
		WHERE c.event_id = e.event_id AND NOT (e.n > 0 AND e.people >= e.n)
	), days_grow AS (
		INSERT INTO event_days AS c (event_id, day, rsvps, headcount)
		SELECT event_id, day, n, people FROM days WHERE n > 0 AND people >= n
		ON CONFLICT (event_id, day) DO UPDATE
		SET rsvps = c.rsvps + excluded.rsvps, headcount = c.headcount + excluded.headcount
	), days_shrink AS (
		UPDATE event_days AS c
		SET rsvps = c.rsvps + d.n, headcount = c.headcount + d.people,
			hours = CASE WHEN c.headcount + d.people > 127 THEN c.hours END,
			hours_made = CASE WHEN c.headcount + d.people > 127 THEN c.hours_made END
		FROM days AS d
		WHERE c.event_id = d.event_id AND c.day = d.day AND NOT (d.n > 0 AND d.people >= d.n)
	)
	SELECT (SELECT array_agg(DISTINCT event_id) FROM days WHERE n < 0),
		(SELECT array_agg(d.day) FROM (SELECT DISTINCT day FROM days) AS d)
	INTO shrunk, touched;
	IF shrunk IS NOT NULL THEN
		DELETE FROM event_counts WHERE event_id = ANY (shrunk) AND rsvps = 0;
		WITH gone AS (
			DELETE FROM event_days WHERE event_id = ANY (shrunk) AND rsvps = 0
			RETURNING event_id
		), left_over AS (
			SELECT d.event_id, min(d.day) AS first_day, max(d.day) AS last_day
			FROM (SELECT DISTINCT g.event_id FROM gone AS g) AS g
			JOIN event_days AS d ON d.event_id = g.event_id
			WHERE d.rsvps > 0
			GROUP BY 1
		)
		UPDATE event_counts AS c SET first_day = l.first_day, last_day = l.last_day
		FROM left_over AS l
		WHERE c.event_id = l.event_id
		AND (c.first_day, c.last_day) IS DISTINCT FROM (l.first_day, l.last_day);
	END IF;
	SELECT array_agg(e.event_id), array_agg(e.day) INTO great_events, great_days
	FROM unnest(touched) AS t (day)
	JOIN event_days AS e ON e.day = t.day AND e.bound > 127;
	IF great_events IS NOT NULL THEN
		-- Until the function ends, which has it off for all else.
		PERFORM set_config('enable_hashjoin', 'on', true);
		PERFORM hours_follow(array_agg(c.event_id), array_agg(c.mtime_ms / 3600000),
			array_agg(c.n::bigint), array_agg(c.people::bigint))
		FROM (%1$s) AS c
		JOIN unnest(great_events, great_days) AS g (event_id, day)
			ON g.event_id = c.event_id AND g.day = mtime_day(c.mtime_ms)
		HAVING count(*) > 0;
	END IF;
	RETURN NULL;
END
$body$;
	f record;
BEGIN
	FOR f IN SELECT * FROM (VALUES
		('rsvps_count_insert', came, ''),
		('rsvps_count_update', came || ' UNION ALL ' || went, moved),
		('rsvps_count_delete', went, '')) AS v (name, source, which)
	LOOP
		EXECUTE format(
			'CREATE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = turnout, pg_temp'
			' SET enable_hashjoin = off SET plan_cache_mode = force_custom_plan AS %L',
			f.name, format(body, f.source, f.which));
		EXECUTE format('REVOKE ALL ON FUNCTION %I() FROM PUBLIC', f.name);
		EXECUTE format('COMMENT ON FUNCTION %I() IS %L', f.name,
			'Trigger: adds what the statement changed in rsvps to event_counts and event_days, under one advisory lock');
	END LOOP;
END
$do$;

CREATE FUNCTION rsvps_count_truncate() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = turnout, pg_temp
AS $$
BEGIN
	TRUNCATE event_counts, event_days;
	RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION rsvps_count_truncate() FROM PUBLIC;
COMMENT ON FUNCTION rsvps_count_truncate() IS 'Trigger: no rows, no counters';

CREATE TRIGGER rsvps_count_insert AFTER INSERT ON rsvps
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION rsvps_count_insert();
CREATE TRIGGER rsvps_count_update AFTER UPDATE ON rsvps
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION rsvps_count_update();
CREATE TRIGGER rsvps_count_delete AFTER DELETE ON rsvps
	REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION rsvps_count_delete();
CREATE TRIGGER rsvps_count_truncate AFTER TRUNCATE ON rsvps
	FOR EACH STATEMENT EXECUTE FUNCTION rsvps_count_truncate();

GRANT SELECT ON event_days TO turnout_ingest, turnout_web;
GRANT INSERT, UPDATE ON rsvps TO turnout_ingest;
