-- Counters made anew from the rows, a few events at a time, while daemons
-- write: what turnout-ingest recount calls.

/*
 * Plain SQL without a SET clause, so that it is inlined and planned with the
 * caller's settings. A caller sees one snapshot, and in that the counters
 * equal the rows whoever writes; so what this finds is damage.
 */
CREATE FUNCTION recount_differences(events text[])
	RETURNS TABLE (event_id text, day date, expected_rsvps bigint,
		expected_headcount bigint, expected_first date, expected_last date, expected_hours bigint[],
		found_rsvps bigint, found_headcount bigint, found_first date, found_last date, found_hours bigint[])
	LANGUAGE sql STABLE
AS $$
	WITH days AS MATERIALIZED (
		SELECT r.event_id, turnout.mtime_day(r.mtime_ms) AS day, count(*) AS n,
			sum(1 + coalesce(r.guests, 0)) AS people
		FROM turnout.rsvps AS r
		WHERE r.response = 'yes' AND r.event_id = ANY (events)
		GROUP BY 1, 2
	), counts AS (
		SELECT d.event_id, sum(d.n)::bigint AS n, sum(d.people)::bigint AS people,
			min(d.day) AS first_day, max(d.day) AS last_day
		FROM days AS d GROUP BY 1
	)
	SELECT coalesce(t.event_id, c.event_id), NULL::date, t.n, t.people, t.first_day, t.last_day, NULL::bigint[],
		c.rsvps, c.headcount, c.first_day, c.last_day, NULL::bigint[]
	FROM counts AS t
	FULL JOIN (SELECT * FROM turnout.event_counts AS c WHERE c.event_id = ANY (events)) AS c
		ON c.event_id = t.event_id
	WHERE (t.n, t.people, t.first_day, t.last_day)
		IS DISTINCT FROM (c.rsvps, c.headcount, c.first_day, c.last_day)
	UNION ALL
	SELECT d.event_id, d.day, d.n, d.people, NULL, NULL, d.expected, d.rsvps, d.headcount, NULL, NULL, d.hours
	FROM (
		SELECT coalesce(t.event_id, d.event_id) AS event_id, coalesce(t.day, d.day) AS day, t.n, t.people,
			d.rsvps, d.headcount, d.hours,
			CASE WHEN t.people > 127 THEN turnout.day_hours(t.event_id, t.day) END AS expected
		FROM days AS t
		FULL JOIN (SELECT * FROM turnout.event_days AS d WHERE d.event_id = ANY (events)) AS d
			ON d.event_id = t.event_id AND d.day = t.day) AS d
	WHERE (d.n, d.people, d.expected) IS DISTINCT FROM (d.rsvps, d.headcount, d.hours)
$$;
REVOKE ALL ON FUNCTION recount_differences(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION recount_differences(text[]) TO turnout_ingest;
COMMENT ON FUNCTION recount_differences(text[]) IS
	'Compares event_counts (day is NULL) and event_days of these events with rsvps. Gives a row for each that differs: expected_* from rsvps, NULL where no row is to be; found_* as stored, NULL where there is none; *_first and *_last are event_counts'' first_day and last_day, *_hours event_days'' hours. Changes nothing, locks nothing.';

/*
 * The lock is the triggers', and comes first; each statement after it has a
 * snapshot of its own (READ COMMITTED, VOLATILE). So a writer is either
 * committed, and its rows and its contribution are both seen, or it waits in
 * its trigger: then neither is seen, and it adds its own afterwards to what
 * is written here. In any other isolation the snapshot would be older than
 * the lock, and a writer could be seen by half.
 */
CREATE FUNCTION recount(events text[])
	RETURNS TABLE (event_id text, day date, expected_rsvps bigint,
		expected_headcount bigint, expected_first date, expected_last date, expected_hours bigint[],
		found_rsvps bigint, found_headcount bigint, found_first date, found_last date, found_hours bigint[])
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = turnout, pg_temp
	-- The daemon's role has these off; a slice is not to be compared row by row.
	SET enable_hashjoin = on
AS $$
#variable_conflict use_column
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'recount() is for READ COMMITTED only'
			USING ERRCODE = 'invalid_transaction_state';
	END IF;
	PERFORM pg_advisory_xact_lock(hashtextextended('turnout.event_counts', 0));
	RETURN QUERY
	WITH wrong AS MATERIALIZED (
		SELECT * FROM recount_differences(events)
	), counts_gone AS (
		DELETE FROM event_counts AS c USING wrong AS w
		WHERE w.day IS NULL AND w.expected_rsvps IS NULL AND c.event_id = w.event_id
	), counts_right AS (
		INSERT INTO event_counts AS c (event_id, rsvps, headcount, first_day, last_day)
		SELECT event_id, expected_rsvps, expected_headcount, expected_first, expected_last FROM wrong
		WHERE day IS NULL AND expected_rsvps IS NOT NULL
		ON CONFLICT (event_id) DO UPDATE
		SET rsvps = excluded.rsvps, headcount = excluded.headcount,
			first_day = excluded.first_day, last_day = excluded.last_day
	), days_gone AS (
		DELETE FROM event_days AS d USING wrong AS w
		WHERE w.expected_rsvps IS NULL AND d.event_id = w.event_id AND d.day = w.day
	), days_right AS (
		INSERT INTO event_days AS d (event_id, day, rsvps, headcount, hours, hours_made)
		SELECT event_id, day, expected_rsvps, expected_headcount, expected_hours,
			CASE WHEN expected_hours IS NOT NULL THEN statement_timestamp() END
		FROM wrong
		WHERE day IS NOT NULL AND expected_rsvps IS NOT NULL
		ON CONFLICT (event_id, day) DO UPDATE
		SET rsvps = excluded.rsvps, headcount = excluded.headcount,
			hours = excluded.hours, hours_made = excluded.hours_made
	)
	SELECT * FROM wrong;
END
$$;
REVOKE ALL ON FUNCTION recount(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION recount(text[]) TO turnout_ingest;
COMMENT ON FUNCTION recount(text[]) IS
	'Sets event_counts and event_days of these events right, from rsvps; gives what it repaired, as recount_differences() does. Writers wait for its transaction, so take a thousand events or so. READ COMMITTED only.';
