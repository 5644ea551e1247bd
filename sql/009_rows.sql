-- A window's board from its rows: what is done where there are few of them, and
-- what the other ways are compared with.

-- A short window is aggregated through this; it grows at its right end. Its
-- condition is written so that only a question written in the same way uses it:
-- while a table is small, it looks as good as the index on event and time, and
-- a plan that was made then would read the rows of all events for one.
CREATE INDEX rsvps_mtime_yes ON rsvps (mtime_ms) INCLUDE (event_id, guests)
	WHERE (response = 'yes') IS TRUE;

-- The best of some heads, as far as they had to be looked at.
CREATE TYPE board_best AS (
	ids        text[],
	rsvps      bigint[],
	headcounts bigint[],
	kth        bigint,
	summed     integer
);
COMMENT ON TYPE board_best IS
	'Events with their exact counts in the window, in no order; the k-th greatest of them by the measure (0: they are fewer than k); how many heads were looked at.';

CREATE FUNCTION kth_of(n bigint[], k integer) RETURNS bigint
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN coalesce((SELECT u.x FROM unnest(n) AS u (x) ORDER BY u.x DESC OFFSET k - 1 LIMIT 1), 0);
END
$$;
COMMENT ON FUNCTION kth_of(bigint[], integer) IS 'The k-th greatest number; 0 where they are fewer.';

CREATE FUNCTION window_rows(from_ms bigint, to_ms bigint) RETURNS double precision
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	early bigint;
	late bigint;
BEGIN
	SELECT r.mtime_ms INTO early FROM turnout.rsvps AS r
	WHERE (r.response = 'yes') IS TRUE AND r.mtime_ms >= from_ms AND r.mtime_ms < to_ms
	ORDER BY r.mtime_ms OFFSET 99 LIMIT 1;
	IF NOT FOUND THEN
		RETURN 100;
	END IF;
	SELECT r.mtime_ms INTO late FROM turnout.rsvps AS r
	WHERE (r.response = 'yes') IS TRUE AND r.mtime_ms >= from_ms AND r.mtime_ms < to_ms
	ORDER BY r.mtime_ms DESC OFFSET 99 LIMIT 1;
	RETURN 50.0 * (to_ms - from_ms) * (1.0 / (early - from_ms + 1) + 1.0 / (to_ms - late));
END
$$;
COMMENT ON FUNCTION window_rows(bigint, bigint) IS
	'About how many yes RSVPs a window has, by how far its first and its last hundred reach.';

/*
 * The window is taken to be as dense as it begins, which may be wrong. The cut
 * is to leave twice as many rows as k, and two of a hundred more; there is none
 * where half of the rows share an event, since these may be fewer than k. Plain
 * SQL without a SET clause, so that it is inlined.
 */
CREATE FUNCTION rows_guess(k integer, from_ms bigint, to_ms bigint)
	RETURNS TABLE (us double precision, cut text)
	LANGUAGE sql STABLE
AS $$
	-- 0.4 a row as in window_best().
	SELECT 0.4 * g.yes, CASE WHEN g.yes > 2.9 * k AND cardinality(g.ids) > 50 THEN
		g.ids[ceil(200 * k / g.yes)::integer + 2] END
	FROM (
		SELECT array_agg(s.id ORDER BY s.id COLLATE "C") FILTER (WHERE s.n = 1) AS ids,
			CASE WHEN sum(s.n) = 100 THEN 100.0 * (to_ms - from_ms) / (max(s.last) - from_ms + 1) ELSE 0 END AS yes
		FROM (
			SELECT h.event_id AS id, count(*) AS n, max(h.mtime_ms) AS last
			FROM (
				SELECT r.event_id, r.mtime_ms FROM turnout.rsvps AS r
				WHERE (r.response = 'yes') IS TRUE AND r.mtime_ms >= from_ms AND r.mtime_ms < to_ms
				ORDER BY r.mtime_ms LIMIT 100) AS h
			GROUP BY 1) AS s) AS g
$$;
COMMENT ON FUNCTION rows_guess(integer, bigint, bigint) IS
	'What the first hundred rows of a short window say of all of them: about how many microseconds they take (0: hardly any), and for the cut an id that, probably, at least k of the events do not come after; NULL where that would save nothing.';

/*
 * Most events of a short window have one yes, and share the board's end by
 * their ids. board_window() leaves out those with an id above cut before it
 * sorts the rest: each comes after all that are not left out, so it is missed
 * only where these are too few, and then they follow by this statement.
 */
CREATE FUNCTION scan_sql(measure text) RETURNS text
	LANGUAGE sql IMMUTABLE
RETURN format($scan$
	SELECT r.event_id, count(*) AS rsvps, count(*) + coalesce(sum(r.guests), 0) AS headcount
	FROM turnout.rsvps AS r
	WHERE (r.response = 'yes') IS TRUE AND r.mtime_ms >= $1 AND r.mtime_ms < $2
	GROUP BY 1 HAVING $4 IS NULL OR NOT (%1$s > 1 OR r.event_id <= $4 COLLATE "C")
	ORDER BY %1$s DESC, 1 LIMIT $3 $scan$,
	CASE measure WHEN 'rsvps' THEN 'count(*)' ELSE 'count(*) + coalesce(sum(r.guests), 0)' END);
COMMENT ON FUNCTION scan_sql(text) IS
	'A statement that gives the first $3 events (NULL: all) in board order from the rows of the window from $1 to $2: all of them ($4 NULL), or, with $4 an id, only those that count 1 and come after it. To be planned each time: how long the window is decides how its rows are best added up. Those without these are board_window()''s.';

/*
 * Those that a filter leaves are looked for from the top, until there are k
 * of them.
 */
CREATE FUNCTION best_by_scan(measure text, k integer, ties boolean, from_ms bigint, to_ms bigint,
	f event_filter) RETURNS board_best
	LANGUAGE plpgsql STABLE
	-- For scan_sql(): in memory, some 200,000 events.
	SET work_mem = '16MB' SET jit = off
AS $$
DECLARE
	filtered constant boolean := turnout.event_filter_given(f);
	found turnout.board_best;
	best turnout.board_best;
	n bigint[];
	step integer := k + 20;
	at integer := 1;
BEGIN
	EXECUTE format('SELECT array_agg(s.event_id), array_agg(s.rsvps), array_agg(s.headcount) FROM (%s) AS s',
		turnout.scan_sql(measure))
	INTO found.ids, found.rsvps, found.headcounts
	USING from_ms, to_ms, CASE WHEN NOT filtered AND NOT ties THEN k END, NULL::text;
	n := CASE measure WHEN 'rsvps' THEN found.rsvps ELSE found.headcounts END;
	IF NOT filtered THEN
		found.kth := coalesce(n[k], 0);
		RETURN found;
	END IF;
	best := ROW('{}', '{}', '{}', 0, 0);
	WHILE at <= cardinality(n) LOOP
		EXIT WHEN best.kth > n[at] OR (best.kth > 0 AND NOT ties);
		SELECT best.ids || array_agg(e.event_id), best.rsvps || array_agg(e.rsvps),
			best.headcounts || array_agg(e.headcount)
		INTO best.ids, best.rsvps, best.headcounts
		FROM turnout.fitting_events(found.ids[at:at + step - 1], found.rsvps[at:at + step - 1],
			found.headcounts[at:at + step - 1], f) AS e;
		best.kth := turnout.kth_of(CASE measure WHEN 'rsvps' THEN best.rsvps ELSE best.headcounts END, k);
		at := at + step;
		step := least(step * 2, 4000);
	END LOOP;
	RETURN best;
END
$$;
COMMENT ON FUNCTION best_by_scan(text, integer, boolean, bigint, bigint, event_filter) IS
	'The first k events of a window and filter from its rows, all time excepted; with ties, all that have the count of the k-th.';

DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc AS p WHERE p.pronamespace = 'turnout'::regnamespace
		AND p.proname IN ('kth_of', 'window_rows', 'rows_guess', 'scan_sql', 'best_by_scan') LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO turnout_ingest, turnout_web', f);
	END LOOP;
END
$$;
