-- An event's counts in a window, its place on a board, the places of the window
-- before, and its history.

/*
 * An event's days, and rows for what an edge cuts off: of that day either the
 * rows inside are added, or the day is, and the rows outside are taken away,
 * whichever part of the day is shorter. Where the day has its hours, what
 * comes before the edge is the total of the hours before it and the rows since,
 * or that of one hour more without the rows until then. The sum of all days
 * that the window touches comes first: it is never below the count, and where
 * it is below at_least no row is read.
 */
CREATE FUNCTION window_sums(ids text[], measure text, from_ms bigint, to_ms bigint, at_least bigint)
	RETURNS TABLE (event_id text, rsvps bigint, headcount bigint)
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
#variable_conflict use_column
DECLARE
	day constant bigint := 86400000;
	half constant bigint := 43200000;
	hour constant bigint := 3600000;
	from_day constant bigint := from_ms / day * day;
	to_day constant bigint := to_ms / day * day;
	-- A short window in one day: its rows, and no days.
	inside constant boolean := from_day = to_day AND to_ms - from_ms < half;
	more_at_from constant boolean := inside OR from_ms - from_day > half;
	less_at_to constant boolean := NOT inside AND to_ms - to_day > half;
	-- Rows from..before, each time 1 or -1.
	n1 constant integer := CASE WHEN more_at_from THEN 1 ELSE -1 END;
	a1 constant bigint := CASE WHEN more_at_from THEN from_ms ELSE from_day END;
	b1 constant bigint := CASE WHEN inside THEN to_ms WHEN more_at_from THEN from_day + day ELSE from_ms END;
	n2 constant integer := CASE WHEN less_at_to THEN -1 ELSE 1 END;
	a2 constant bigint := CASE WHEN less_at_to THEN to_ms ELSE to_day END;
	b2 constant bigint := CASE WHEN inside THEN to_day WHEN less_at_to THEN to_day + day ELSE to_ms END;
	-- A day with hours: what comes before an edge is the total of h hours and
	-- m times the rows c..before d; all: that day's total.
	late1 constant boolean := from_ms % hour > hour / 2;
	h1 constant integer := from_ms / hour % 24 + late1::integer;
	m1 constant integer := CASE WHEN late1 THEN -1 ELSE 1 END;
	c1 constant bigint := CASE WHEN late1 THEN from_ms ELSE from_ms / hour * hour END;
	d1 constant bigint := CASE WHEN late1 THEN from_ms / hour * hour + hour ELSE from_ms END;
	all1 constant integer := CASE WHEN more_at_from AND NOT inside THEN 1 ELSE 0 END;
	late2 constant boolean := to_ms % hour > hour / 2;
	h2 constant integer := to_ms / hour % 24 + late2::integer;
	m2 constant integer := CASE WHEN late2 THEN -1 ELSE 1 END;
	c2 constant bigint := CASE WHEN late2 THEN to_ms ELSE to_ms / hour * hour END;
	d2 constant bigint := CASE WHEN late2 THEN to_ms / hour * hour + hour ELSE to_ms END;
	all2 constant integer := CASE WHEN less_at_to THEN -1 ELSE 0 END;
	-- The days that are taken whole, and those that the window touches.
	whole_from constant date := turnout.mtime_day(CASE WHEN more_at_from THEN from_day + day ELSE from_day END);
	whole_to constant date := turnout.mtime_day(CASE WHEN less_at_to THEN to_day + day ELSE to_day END);
	first constant date := turnout.mtime_day(from_ms);
	last constant date := turnout.mtime_day(to_ms - 1);
BEGIN
	IF from_ms IS NULL THEN
		RETURN QUERY SELECT c.event_id, c.rsvps, c.headcount
		FROM unnest(ids) AS u (id)
		JOIN turnout.event_counts AS c ON c.event_id = u.id COLLATE "C"
		WHERE CASE measure WHEN 'rsvps' THEN c.rsvps ELSE c.headcount END >= at_least;
		RETURN;
	END IF;
	RETURN QUERY
	SELECT d.id, s.rsvps, s.headcount
	FROM unnest(ids) AS u (id)
	CROSS JOIN LATERAL (
		SELECT u.id, sum(CASE measure WHEN 'rsvps' THEN d.rsvps ELSE d.headcount END) AS most,
			sum(d.rsvps) FILTER (WHERE d.day >= whole_from AND d.day < whole_to) AS rsvps,
			sum(d.headcount) FILTER (WHERE d.day >= whole_from AND d.day < whole_to) AS headcount,
			max(d.hours) FILTER (WHERE d.day = first) AS hours1,
			max(d.hours) FILTER (WHERE d.day = last) AS hours2
		FROM turnout.event_days AS d
		WHERE d.event_id = u.id COLLATE "C" AND d.day BETWEEN first AND last) AS d
	-- By d's id, so that these are not asked for before d is.
	CROSS JOIN LATERAL (
		SELECT count(*) AS rsvps, count(*) + coalesce(sum(r.guests), 0) AS headcount
		FROM turnout.rsvps AS r
		WHERE r.event_id = d.id COLLATE "C" AND r.response = 'yes'
		AND r.mtime_ms >= CASE WHEN d.hours1 IS NULL THEN a1 ELSE c1 END
		AND r.mtime_ms < CASE WHEN d.hours1 IS NULL THEN b1 ELSE d1 END
		AND CASE WHEN d.hours1 IS NULL THEN a1 < b1 ELSE c1 < d1 END) AS e
	CROSS JOIN LATERAL (
		SELECT count(*) AS rsvps, count(*) + coalesce(sum(r.guests), 0) AS headcount
		FROM turnout.rsvps AS r
		WHERE r.event_id = d.id COLLATE "C" AND r.response = 'yes'
		AND r.mtime_ms >= CASE WHEN d.hours2 IS NULL THEN a2 ELSE c2 END
		AND r.mtime_ms < CASE WHEN d.hours2 IS NULL THEN b2 ELSE d2 END
		AND CASE WHEN d.hours2 IS NULL THEN a2 < b2 ELSE c2 < d2 END) AS l
	CROSS JOIN LATERAL (
		SELECT (coalesce(d.rsvps, 0)
			+ CASE WHEN d.hours1 IS NULL THEN n1 * e.rsvps
				ELSE all1 * d.hours1[1][24] - coalesce(d.hours1[1][h1], 0) - m1 * e.rsvps END
			+ CASE WHEN d.hours2 IS NULL THEN n2 * l.rsvps
				ELSE all2 * d.hours2[1][24] + coalesce(d.hours2[1][h2], 0) + m2 * l.rsvps END)::bigint AS rsvps,
			(coalesce(d.headcount, 0)
			+ CASE WHEN d.hours1 IS NULL THEN n1 * e.headcount
				ELSE all1 * d.hours1[2][24] - coalesce(d.hours1[2][h1], 0) - m1 * e.headcount END
			+ CASE WHEN d.hours2 IS NULL THEN n2 * l.headcount
				ELSE all2 * d.hours2[2][24] + coalesce(d.hours2[2][h2], 0) + m2 * l.headcount END)::bigint AS headcount) AS s
	WHERE d.most >= at_least AND s.rsvps > 0;
END
$$;
COMMENT ON FUNCTION window_sums(text[], text, bigint, bigint, bigint) IS
	'Exact counts of these events over from_ms <= mtime_ms < to_ms (both NULL: all time). Left out: an event with none, and one whose count by the measure is seen to be below at_least (0: none is); what is given may be below it. Times in ms since 1970-01-01 UTC, not negative.';

CREATE FUNCTION window_places(best board_best, measure text)
	RETURNS TABLE (place bigint, rank bigint, event_id text, rsvps bigint, headcount bigint)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	-- Not plain SQL: inlined, it would ask for best anew for each array.
	RETURN QUERY
	SELECT row_number() OVER (ORDER BY c.n DESC, c.id), rank() OVER (ORDER BY c.n DESC), c.id, c.rsvps, c.headcount
	FROM (
		SELECT CASE measure WHEN 'rsvps' THEN u.rsvps ELSE u.headcount END AS n, u.id COLLATE "C" AS id,
			u.rsvps, u.headcount
		FROM unnest((best).ids, (best).rsvps, (best).headcounts) AS u (id, rsvps, headcount)) AS c
	WHERE c.n >= (best).kth;
END
$$;
COMMENT ON FUNCTION window_places(board_best, text) IS
	'The events whose count is not below the k-th greatest, with their place (1, 2, 3) and their competition rank (1, 1, 3).';

CREATE FUNCTION previous_ranks(measure text, from_ms bigint, to_ms bigint, country text,
	city text, group_id bigint, group_urlname text, topic text, starts text, now_ms bigint)
	RETURNS TABLE (event_id text, rank integer)
	LANGUAGE plpgsql STABLE
AS $$
BEGIN
	PERFORM turnout.check_window(measure, 100, from_ms, to_ms);
	-- Nothing came before all time, nor before 1970.
	IF from_ms > 0 THEN
		RETURN QUERY
		SELECT p.event_id, p.rank::integer
		FROM turnout.window_places(turnout.window_best(measure, 100, true,
			greatest(2 * from_ms - to_ms, 0), from_ms, turnout.event_filter(country, city,
			group_id, group_urlname, topic, starts, now_ms), NULL), measure) AS p
		WHERE p.rank <= 100;
	END IF;
END
$$;
COMMENT ON FUNCTION previous_ranks(text, bigint, bigint, text, text, bigint, text, text, text, bigint) IS
	'The competition ranks up to 100 in the window of equal length that ends at from_ms, under the same measure and filters (parameters and errors as of board_window): all events that have such a rank, more than 100 where a tie reaches past it. None for all time.';

CREATE FUNCTION event_rank(id text, measure text, from_ms bigint, to_ms bigint, country text,
	city text, group_id bigint, group_urlname text, topic text, starts text, now_ms bigint,
	around integer)
	RETURNS TABLE (rank integer, event_id text, rsvps bigint, headcount bigint)
	LANGUAGE plpgsql STABLE
	SET enable_seqscan = off SET enable_bitmapscan = off
	SET enable_hashjoin = off SET enable_mergejoin = off
	SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
DECLARE
	f constant turnout.event_filter := turnout.event_filter(country, city, group_id, group_urlname,
		topic, starts, now_ms);
	k integer := 60 + around;
	best turnout.board_best;
	own record;
	mine record;
BEGIN
	PERFORM turnout.check_window(measure, 1, from_ms, to_ms);
	IF coalesce(around NOT BETWEEN 0 AND 20, true) THEN
		RAISE EXCEPTION 'around must be from 0 to 20, not %', around USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT s.rsvps, s.headcount INTO own FROM turnout.window_sums(ARRAY[id], measure, from_ms, to_ms, 0) AS s;
	IF NOT FOUND OR (turnout.event_filter_given(f) AND NOT EXISTS (
		SELECT FROM turnout.fitting_events(ARRAY[id], NULL, NULL, f))) THEN
		RETURN;
	END IF;
	LOOP
		best := turnout.window_best(measure, k, true, from_ms, to_ms, f, NULL);
		SELECT p.place, p.rank, p.places INTO mine
		FROM (SELECT w.*, count(*) OVER () AS places FROM turnout.window_places(best, measure) AS w) AS p
		WHERE p.event_id = id COLLATE "C";
		-- A board that is not full has no more to show.
		EXIT WHEN FOUND AND (mine.rank > 1000 OR mine.place + around <= mine.places OR best.kth = 0);
		EXIT WHEN NOT FOUND AND k >= 1000;
		k := greatest(1000, mine.place + around);
	END LOOP;
	IF mine.rank <= 1000 THEN
		RETURN QUERY SELECT p.rank::integer, p.event_id, p.rsvps, p.headcount
		FROM turnout.window_places(best, measure) AS p
		WHERE p.place BETWEEN mine.place - around AND mine.place + around ORDER BY p.place;
	ELSE
		RETURN QUERY SELECT NULL::integer, id, own.rsvps, own.headcount;
	END IF;
END
$$;
COMMENT ON FUNCTION event_rank(text, text, bigint, bigint, text, text, bigint, text, text, text, bigint, integer) IS
	'An event on the board of a window and filter (parameters and errors as of board_window) with up to around (0 to 20) neighbours each side, in board order, with competition ranks. Exact to rank 1000; beyond, the event alone with rank NULL. No row: the event is not on that board, as it has no yes in the window or the filter leaves it out.';

CREATE FUNCTION event_history(event_id text, step_ms bigint, from_ms bigint, to_ms bigint)
	RETURNS TABLE (at_ms bigint, rsvps bigint, headcount bigint)
	LANGUAGE plpgsql STABLE
	SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	id constant text := event_history.event_id;
	-- 1970 began on a Thursday, weeks begin on Monday.
	shift constant bigint := CASE step_ms WHEN 604800000 THEN 345600000 ELSE 0 END;
	points constant bigint := (to_ms - from_ms + step_ms - 1) / nullif(step_ms, 0);
	until_ms constant bigint := from_ms + points * step_ms;
	why constant text := CASE
		WHEN coalesce(step_ms NOT IN (3600000, 86400000, 604800000), true) THEN
			format('step_ms must be 3600000, 86400000 or 604800000, not %s', step_ms)
		WHEN coalesce(NOT (0 <= from_ms AND from_ms < to_ms AND to_ms <= 253402300800000), true) THEN
			format('0 <= from_ms < to_ms <= 253402300800000 does not hold: from_ms %s, to_ms %s', from_ms, to_ms)
		WHEN (from_ms - shift) % step_ms <> 0 THEN format('from_ms must be a multiple of the step, not %s', from_ms)
		WHEN points > 1000 THEN format('at most 1000 points, not %s', points) END;
BEGIN
	IF why IS NOT NULL THEN
		RAISE EXCEPTION '%', why USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY
	WITH counted AS MATERIALIZED (
		SELECT c.at / step_ms AS n, sum(c.rsvps)::bigint AS rsvps, sum(c.headcount)::bigint AS headcount
		FROM (
			SELECT r.mtime_ms - from_ms AS at, 1 AS rsvps, 1 + coalesce(r.guests, 0) AS headcount
			FROM turnout.rsvps AS r
			WHERE step_ms = 3600000 AND r.event_id = id COLLATE "C" AND r.response = 'yes'
			AND r.mtime_ms >= from_ms AND r.mtime_ms < until_ms
			UNION ALL
			SELECT (d.day - date '1970-01-01') * 86400000::bigint - from_ms, d.rsvps, d.headcount
			FROM turnout.event_days AS d
			WHERE step_ms > 3600000 AND d.event_id = id COLLATE "C"
			AND d.day >= turnout.mtime_day(from_ms) AND d.day < turnout.mtime_day(until_ms)) AS c
		GROUP BY 1
	)
	SELECT from_ms + p.n * step_ms, coalesce(c.rsvps, 0), coalesce(c.headcount, 0)
	FROM generate_series(0, points - 1) AS p (n)
	LEFT JOIN counted AS c USING (n)
	ORDER BY 1;
END
$$;
COMMENT ON FUNCTION event_history(text, bigint, bigint, bigint) IS
	'Current yes RSVPs and people of an event by the hour, day or week (step_ms 3600000, 86400000 or 604800000; UTC, weeks from Monday), with zeros: points from_ms, from_ms + step_ms, ... before to_ms, at most 1000, each over its whole step, also the last. from_ms must begin a step. Times in ms since 1970-01-01 UTC. SQLSTATE 22023 for parameters that are none of these; an unknown event has zeros.';

DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc AS p WHERE p.pronamespace = 'turnout'::regnamespace
		AND p.proname IN ('window_sums', 'window_places', 'previous_ranks', 'event_rank', 'event_history') LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO turnout_ingest, turnout_web', f);
	END LOOP;
END
$$;
