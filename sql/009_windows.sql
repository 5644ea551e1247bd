-- Boards of any window and filter: the exact first k, and a scan only where
-- there is little to scan.

-- A short window is aggregated through this; it grows at its right end. Its
-- condition is written so that only a question written in the same way uses it:
-- while a table is small, it looks as good as the index on event and time, and
-- a plan that was made then would read the rows of all events for one.
CREATE INDEX rsvps_mtime_yes ON rsvps (mtime_ms) INCLUDE (event_id, guests)
	WHERE (response = 'yes') IS TRUE;

/*
 * Rows at the window's edges, whole days between: a few pages an event.
 * Without a window, the event's counter.
 */
CREATE FUNCTION window_sums(ids text[], from_ms bigint, to_ms bigint)
	RETURNS TABLE (event_id text, rsvps bigint, headcount bigint)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT u.id, s.rsvps, s.headcount
	FROM unnest(ids) AS u (id)
	CROSS JOIN LATERAL (
		SELECT sum(p.rsvps)::bigint AS rsvps, sum(p.headcount)::bigint AS headcount
		FROM (
			SELECT d.rsvps, d.headcount FROM turnout.event_days AS d
			WHERE d.event_id = u.id COLLATE "C"
			AND d.day >= turnout.mtime_day(from_ms + 86399999) AND d.day < turnout.mtime_day(to_ms)
			UNION ALL
			SELECT 1, 1 + coalesce(r.guests, 0) FROM turnout.rsvps AS r
			WHERE from_ms % 86400000 <> 0
			AND r.event_id = u.id COLLATE "C" AND r.response = 'yes' AND r.mtime_ms >= from_ms
			AND r.mtime_ms < least(to_ms, (from_ms / 86400000 + 1) * 86400000)
			UNION ALL
			SELECT 1, 1 + coalesce(r.guests, 0) FROM turnout.rsvps AS r
			WHERE to_ms % 86400000 <> 0
			AND (from_ms / 86400000 < to_ms / 86400000 OR from_ms % 86400000 = 0)
			AND r.event_id = u.id COLLATE "C" AND r.response = 'yes' AND r.mtime_ms < to_ms
			AND r.mtime_ms >= to_ms / 86400000 * 86400000) AS p) AS s
	WHERE s.rsvps > 0
	UNION ALL
	SELECT c.event_id, c.rsvps, c.headcount
	FROM unnest(ids) AS u (id)
	JOIN turnout.event_counts AS c ON c.event_id = u.id COLLATE "C"
	WHERE from_ms IS NULL
$$;
COMMENT ON FUNCTION window_sums(text[], bigint, bigint) IS
	'Exact counts of these events over from_ms <= mtime_ms < to_ms (both NULL: all time); an event with none is left out. Times in ms since 1970-01-01 UTC, not negative.';

-- An event in none of the lists' heads has at most `unseen` in the window.
CREATE TYPE board_heads AS (
	ids    text[],
	most   bigint[],
	unseen bigint,
	likely bigint,
	ended  boolean
);
COMMENT ON TYPE board_heads IS
	'The heads of lists of bounds: events with the most each may have in the window, in descending order of that; the most an event may have that is not among them; a guess of the k-th count, rather too great; whether the lists have no more.';

/*
 * most = what the lists say of the event, and for each list that it was not
 * found in, that list's last bound: no look-up outside the lists. Where they
 * find more than enough events, the rest is as unseen.
 */
CREATE FUNCTION heads_by_days(first date, last date, depth integer, k integer, enough integer)
	RETURNS board_heads
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	heads turnout.board_heads;
BEGIN
	WITH lists AS MATERIALIZED (
		SELECT l.ids, l.bounds, CASE WHEN l.n = depth THEN l.lowest ELSE 3 END AS lowest, l.n < depth AS ended
		FROM generate_series(0, last - first) AS d (n)
		CROSS JOIN LATERAL (
			SELECT array_agg(h.event_id) AS ids, array_agg(h.bound) AS bounds,
				count(*) AS n, min(h.bound) AS lowest
			FROM (
				SELECT e.event_id, e.bound FROM turnout.event_days AS e
				WHERE e.day = first + d.n AND e.bound > 3
				ORDER BY e.bound DESC, e.event_id LIMIT depth) AS h) AS l
	), found AS MATERIALIZED (
		SELECT h.id, sum(h.bound - l.lowest)::bigint AS above, sum(h.bound)::bigint AS seen
		FROM lists AS l, unnest(l.ids, l.bounds) AS h (id, bound)
		GROUP BY 1
	)
	SELECT array_agg(f.id ORDER BY f.above DESC), array_agg(f.above + t.unseen ORDER BY f.above DESC),
		t.unseen, t.likely, t.ended
	INTO heads
	FROM (SELECT sum(l.lowest)::bigint AS unseen, bool_and(l.ended) AS ended,
		(SELECT f.seen FROM found AS f ORDER BY f.seen DESC OFFSET k - 1 LIMIT 1) AS likely
		FROM lists AS l) AS t
	LEFT JOIN (SELECT f.id, f.above FROM found AS f ORDER BY f.above DESC LIMIT enough) AS f ON true
	GROUP BY t.unseen, t.likely, t.ended;
	IF cardinality(heads.ids) = enough THEN
		heads.unseen := heads.most[enough];
		heads.ended := false;
	END IF;
	RETURN heads;
END
$$;
COMMENT ON FUNCTION heads_by_days(date, date, integer, integer, integer) IS
	'The first depth entries of each day''s list, from first to last; of the events in them the enough that may have most.';

CREATE FUNCTION heads_by_counts(depth integer) RETURNS board_heads
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	heads turnout.board_heads;
BEGIN
	SELECT array_agg(h.event_id ORDER BY h.bound DESC), array_agg(h.bound ORDER BY h.bound DESC),
		CASE WHEN count(*) = depth THEN min(h.bound) ELSE 0 END, NULL, count(*) < depth
	INTO heads
	FROM (
		SELECT c.event_id, c.bound FROM turnout.event_counts AS c
		ORDER BY c.bound DESC, c.event_id LIMIT depth) AS h;
	RETURN heads;
END
$$;
COMMENT ON FUNCTION heads_by_counts(integer) IS
	'The first depth entries of the all-time list.';

CREATE FUNCTION heads_of_events(ids text[], first date, last date) RETURNS board_heads
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	heads turnout.board_heads;
BEGIN
	SELECT array_agg(h.id ORDER BY h.most DESC), array_agg(h.most ORDER BY h.most DESC), 0, NULL, true
	INTO heads
	FROM (
		SELECT u.id, CASE
			WHEN first IS NULL THEN (SELECT c.headcount FROM turnout.event_counts AS c
				WHERE c.event_id = u.id COLLATE "C")
			ELSE (SELECT sum(d.headcount)::bigint FROM turnout.event_days AS d
				WHERE d.event_id = u.id COLLATE "C" AND d.day BETWEEN first AND last) END AS most
		FROM unnest(ids) AS u (id)) AS h
	WHERE h.most IS NOT NULL;
	RETURN heads;
END
$$;
COMMENT ON FUNCTION heads_of_events(text[], date, date) IS
	'These events as if they were a list, each with the sum of its days from first to last (both NULL: all time); there are no others.';

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

/*
 * Takes exact sums from the top of h, some at a time, until the k-th of them
 * is greater than the most that the next may have; equal is not enough, since
 * the next could come first by its id, and who asks for all that share a
 * place wants it too. Gives up on days' lists when many sums are known and
 * the k-th is not above what an event outside of h may have: h is not deep
 * enough, and what comes is lesser. (All time says little of the window.)
 */
CREATE FUNCTION best_of_heads(h board_heads, measure text, k integer, from_ms bigint,
	to_ms bigint, f event_filter) RETURNS board_best
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	filtered constant boolean := turnout.event_filter_given(f);
	heads constant text[] := (h).ids;
	most constant bigint[] := (h).most;
	best turnout.board_best;
	part text[];
	more turnout.board_best;
	step integer := k + 5;
	at integer := 1;
BEGIN
	best := ROW('{}', '{}', '{}', 0, 0);
	WHILE at <= cardinality(heads) LOOP
		EXIT WHEN best.kth > most[at];
		EXIT WHEN best.kth <= (h).unseen AND cardinality(best.ids) > 3 * k + 30 AND (h).likely IS NOT NULL
			AND NOT (h).ended;
		part := heads[at:at + step - 1];
		IF filtered THEN
			part := ARRAY(SELECT e.event_id FROM turnout.fitting_events(part, NULL, NULL, f) AS e);
		END IF;
		SELECT array_agg(s.event_id), array_agg(s.rsvps), array_agg(s.headcount)
		INTO more.ids, more.rsvps, more.headcounts
		FROM turnout.window_sums(part, from_ms, to_ms) AS s;
		best.ids := best.ids || more.ids;
		best.rsvps := best.rsvps || more.rsvps;
		best.headcounts := best.headcounts || more.headcounts;
		best.kth := turnout.kth_of(CASE measure WHEN 'rsvps' THEN best.rsvps ELSE best.headcounts END, k);
		at := at + step;
		step := CASE WHEN best.kth = 0 THEN least(step * 2, 4000) ELSE k / 4 + 10 END;
	END LOOP;
	best.summed := at - 1;
	RETURN best;
END
$$;
COMMENT ON FUNCTION best_of_heads(board_heads, text, integer, bigint, bigint, event_filter) IS
	'Events of h that fit the filter with their counts: all whose count is not below the k-th greatest, where kth > unseen.';

CREATE FUNCTION window_rows(from_ms bigint, to_ms bigint) RETURNS double precision
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	early bigint;
	late bigint;
BEGIN
	SELECT r.mtime_ms INTO early FROM turnout.rsvps AS r
	WHERE (r.response = 'yes') IS TRUE AND r.mtime_ms >= from_ms AND r.mtime_ms < to_ms
	ORDER BY r.mtime_ms OFFSET 999 LIMIT 1;
	IF NOT FOUND THEN
		RETURN 1000;
	END IF;
	SELECT r.mtime_ms INTO late FROM turnout.rsvps AS r
	WHERE (r.response = 'yes') IS TRUE AND r.mtime_ms >= from_ms AND r.mtime_ms < to_ms
	ORDER BY r.mtime_ms DESC OFFSET 999 LIMIT 1;
	RETURN 500.0 * (to_ms - from_ms) * (1.0 / (early - from_ms + 1) + 1.0 / (to_ms - late));
END
$$;
COMMENT ON FUNCTION window_rows(bigint, bigint) IS
	'About how many yes RSVPs a window has, by how far its first and its last thousand reach.';

/*
 * The rows of a window, added up. Those that a filter leaves are looked for
 * from the top, until there are k of them.
 */
CREATE FUNCTION best_by_scan(measure text, k integer, ties boolean, from_ms bigint, to_ms bigint,
	f event_filter) RETURNS board_best
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	filtered constant boolean := turnout.event_filter_given(f);
	found turnout.board_best;
	best turnout.board_best;
	n bigint[];
	step integer := k + 20;
	at integer := 1;
BEGIN
	SELECT array_agg(s.id), array_agg(s.rsvps), array_agg(s.headcount)
	INTO found.ids, found.rsvps, found.headcounts
	FROM (
		SELECT c.id, c.rsvps, c.headcount FROM (
			SELECT r.event_id AS id, count(*) AS rsvps, sum(1 + coalesce(r.guests, 0)) AS headcount
			FROM turnout.rsvps AS r
			WHERE (r.response = 'yes') IS TRUE AND r.mtime_ms >= from_ms AND r.mtime_ms < to_ms
			GROUP BY 1) AS c
		ORDER BY CASE measure WHEN 'rsvps' THEN c.rsvps ELSE c.headcount END DESC, c.id
		LIMIT CASE WHEN NOT filtered AND NOT ties THEN k END) AS s;
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

/*
 * Exact top k without a scan: the threshold algorithm of R. Fagin, A. Lotem
 * and M. Naor, "Optimal aggregation algorithms for middleware" (2003), over
 * lists of upper bounds instead of scores: the days that the window touches,
 * or the one list of all time.
 *
 * Why the stop rule is right. Let T be the sum of the last bounds read, one a
 * list (where a list has ended: the greatest bound that it leaves out). A
 * list's events that were not read have bounds no greater than its last, and
 * an event's count in the window is at most the sum of its days' headcounts,
 * so at most that of their bounds. So (1) an event that was read nowhere
 * counts at most T, and (2) one that was read in some lists at most T plus,
 * for each of these, what its bound is above that list's last: its `most`.
 * Exact counts are taken in descending order of `most` until the k-th of them
 * is greater than the next `most`, and than T. Then each event without an
 * exact count has less than the k-th: it is not on the board, nor tied with
 * its last place. With an equal count it could be, by an id that comes first;
 * hence "greater", not "greater or equal", in both places.
 *
 * Other ways are taken where they are cheaper by an estimate: a filter's own
 * events as one list that is complete (T = 0), or the window's rows. The
 * estimates decide how long it takes, never what comes out.
 */
CREATE FUNCTION window_best(measure text, k integer, ties boolean, from_ms bigint,
	to_ms bigint, f event_filter, path text) RETURNS board_best
	LANGUAGE plpgsql STABLE
	-- Look-ups by key, always: with a table's first rows, or without its
	-- statistics, other plans seem as good.
	SET enable_seqscan = off SET enable_bitmapscan = off
	SET enable_hashjoin = off SET enable_mergejoin = off
	SET plan_cache_mode = force_generic_plan SET jit = off
	-- A window's events are added up in memory, some 200,000 of them.
	SET work_mem = '16MB'
AS $$
DECLARE
	filtered constant boolean := turnout.event_filter_given(f);
	first constant date := turnout.mtime_day(from_ms);
	last constant date := turnout.mtime_day(to_ms - 1);
	by_days constant boolean := from_ms IS NOT NULL AND last - first < CASE path WHEN 'days' THEN 1000 ELSE 32 END
		AND coalesce(path = 'days', true);
	lists constant integer := CASE WHEN by_days THEN last - first + 1 ELSE 1 END;
	-- Microseconds, by measurement: of an entry of a list, and of the rows.
	each constant integer := CASE WHEN filtered THEN 4 ELSE 1 END;
	scan constant double precision := CASE WHEN from_ms IS NULL THEN 'infinity'
		WHEN path IS NULL THEN CASE WHEN filtered THEN 1 ELSE 0.4 END * turnout.window_rows(from_ms, to_ms) END;
	depth integer := 2 * k + 30;
	own text[];
	h turnout.board_heads;
	best turnout.board_best;
BEGIN
	IF from_ms IS NULL AND NOT filtered AND NOT ties THEN
		SELECT array_agg(b.event_id), array_agg(b.rsvps), array_agg(b.headcount)
		INTO best.ids, best.rsvps, best.headcounts FROM turnout.board(measure, k) AS b;
		best.kth := 0;
		RETURN best;
	END IF;
	IF filtered AND coalesce(path = 'events', true) THEN
		own := turnout.filter_events(f, CASE path WHEN 'events' THEN 10000000
			ELSE least(greatest(500, scan / 16), 14000 + 100 * k)::integer END);
	END IF;
	WHILE own IS NULL LOOP
		IF from_ms IS NOT NULL AND ((h).ended OR coalesce(path = 'scan',
			2 * CASE WHEN by_days THEN each * lists * depth + 25 * (2 * k + 20) ELSE 20 * depth END > scan)) THEN
			IF filtered AND scan > 100000 THEN
				own := turnout.filter_events(f, least(scan / 16, 300000)::integer);
				EXIT WHEN own IS NOT NULL;
			END IF;
			RAISE DEBUG 'board by rows: depth %, scan % us', depth, scan;
			RETURN turnout.best_by_scan(measure, k, ties, from_ms, to_ms, f);
		END IF;
		h := CASE WHEN by_days THEN turnout.heads_by_days(first, last, depth, k,
				CASE WHEN NOT filtered THEN 4 * depth END)
			ELSE turnout.heads_by_counts(depth) END;
		depth := depth * 4;
		-- A filter's k-th is not above the k-th of all.
		CONTINUE WHEN NOT (h).ended AND ((h).unseen > (h).likely
			OR (best.kth > 0 AND (h).unseen > 1.5 * best.kth));
		best := turnout.best_of_heads(h, measure, k, from_ms, to_ms, f);
		IF best.kth > (h).unseen OR ((h).ended AND (h).unseen = 0) THEN
			RAISE DEBUG 'board by %: depth %, % of % heads, k-th %, unseen %, scan % us',
				CASE WHEN by_days THEN 'days' ELSE 'counts' END, depth / 4, best.summed,
				cardinality((h).ids), best.kth, (h).unseen, scan;
			RETURN best;
		END IF;
	END LOOP;
	h := turnout.heads_of_events(own, first, last);
	best := turnout.best_of_heads(h, measure, k, from_ms, to_ms, NULL);
	RAISE DEBUG 'board by events: % of % heads, own %, scan % us', best.summed,
		cardinality((h).ids), cardinality(own), scan;
	RETURN best;
END
$$;
COMMENT ON FUNCTION window_best(text, integer, boolean, bigint, bigint, event_filter, text) IS
	'Events with their counts in a window (NULL times: all time) under a filter, among them all whose count is not below the k-th greatest (without ties: at least the first k in board order). path: NULL takes the cheapest, or ''days'', ''counts'', ''events'' (the filter''s) or ''scan'', for tests; all are exact. Says at DEBUG1 which way it took.';

CREATE FUNCTION check_window(measure text, k integer, from_ms bigint, to_ms bigint) RETURNS void
	LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
	why constant text := CASE
		WHEN coalesce(measure NOT IN ('rsvps', 'headcount'), true) THEN
			format('measure must be rsvps or headcount, not "%s"', measure)
		WHEN coalesce(k NOT BETWEEN 1 AND 1001, true) THEN format('k must be from 1 to 1001, not %s', k)
		WHEN (from_ms IS NULL) <> (to_ms IS NULL) THEN 'from_ms and to_ms come together'
		WHEN from_ms >= to_ms OR from_ms < 0 OR to_ms > 253402300800000 THEN
			format('0 <= from_ms < to_ms <= 253402300800000 does not hold: from_ms %s, to_ms %s', from_ms, to_ms) END;
BEGIN
	IF why IS NOT NULL THEN
		RAISE EXCEPTION '%', why USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;
COMMENT ON FUNCTION check_window(text, integer, bigint, bigint) IS
	'Nothing, or SQLSTATE 22023 with what is wrong with these parameters.';

CREATE FUNCTION board_window(measure text, k integer, from_ms bigint, to_ms bigint,
	country text, city text, group_id bigint, group_urlname text, topic text,
	starts text, now_ms bigint)
	RETURNS TABLE (event_id text, rsvps bigint, headcount bigint)
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	best turnout.board_best;
BEGIN
	PERFORM turnout.check_window(measure, k, from_ms, to_ms);
	best := turnout.window_best(measure, k, false, from_ms, to_ms, turnout.event_filter(
		country, city, group_id, group_urlname, topic, starts, now_ms), NULL);
	RETURN QUERY
	SELECT u.id, u.rsvps, u.headcount FROM unnest(best.ids, best.rsvps, best.headcounts) AS u (id, rsvps, headcount)
	ORDER BY CASE measure WHEN 'rsvps' THEN u.rsvps ELSE u.headcount END DESC, u.id COLLATE "C"
	LIMIT k;
END
$$;
COMMENT ON FUNCTION board_window(text, integer, bigint, bigint, text, text, bigint, text, text, text, bigint) IS
	'The first k events (1 to 1001) by measure (''rsvps'' or ''headcount'') over the current yes RSVPs with from_ms <= mtime_ms < to_ms (ms since 1970-01-01 UTC; both NULL: all time), ties by event_id in byte order; only events with at least one. Filters, NULL = not given: country and city without case, group_id, group_urlname and topic (urlkey) exactly, starts ''upcoming'' (start >= now_ms) or ''past'' (start < now_ms). Exact. SQLSTATE 22023 for a parameter that is none of these.';

DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc AS p WHERE p.pronamespace = 'turnout'::regnamespace
		AND p.proname IN ('window_sums', 'heads_by_days', 'heads_by_counts', 'heads_of_events', 'kth_of',
		'best_of_heads', 'window_rows', 'best_by_scan', 'window_best', 'check_window', 'board_window') LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO turnout_ingest, turnout_web', f);
	END LOOP;
END
$$;
