-- Boards of any window and filter: the exact first k, and a scan only where
-- there is little to scan (009_rows.sql).

-- Some lists' heads: events, with the most that each may have in the window.
CREATE TYPE board_heads AS (
	ids    text[],
	most   bigint[],
	unseen bigint,
	ended  boolean
);
COMMENT ON TYPE board_heads IS
	'The heads of lists of bounds: events in descending order of the most that each may have in the window; the most that an event may have that is not among them; whether the lists have no more.';

CREATE FUNCTION day_step(n bigint) RETURNS bigint
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN n >= 127 THEN (n + 1) / 128 * 128 - 1 WHEN n >= 95 THEN 95
	WHEN n >= 63 THEN 63 WHEN n >= 47 THEN 47 WHEN n >= 31 THEN 31
	WHEN n >= 23 THEN 23 WHEN n >= 15 THEN 15 WHEN n >= 11 THEN 11
	WHEN n >= 7 THEN 7 WHEN n >= 5 THEN 5 ELSE 3 END;
COMMENT ON FUNCTION day_step(bigint) IS
	'The greatest bound that day_bound() gives and that is not above n; 3, the least, where n is below it.';

CREATE FUNCTION days_first(from_ms bigint, to_ms bigint, depth integer) RETURNS board_heads
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	day_ms constant bigint := 86400000;
	first constant bigint := from_ms / day_ms;
	heads turnout.board_heads;
BEGIN
	WITH found AS MATERIALIZED (
		SELECT d.n, h.event_id, h.bound * d.share AS part
		FROM (
			SELECT n, turnout.mtime_day((first + n) * day_ms) AS day, (least((first + n + 1) * day_ms, to_ms)
				- greatest((first + n) * day_ms, from_ms))::float8 / day_ms AS share
			FROM generate_series(0, (to_ms - 1) / day_ms - first) AS n) AS d
		CROSS JOIN LATERAL (
			SELECT e.event_id, e.bound FROM turnout.event_days AS e
			WHERE e.day = d.day AND e.bound > 3
			ORDER BY e.bound DESC, e.event_id LIMIT depth) AS h
	)
	SELECT array_agg(s.id ORDER BY s.seen DESC), array_agg(s.seen ORDER BY s.seen DESC), NULL,
		coalesce((SELECT max(l.n) < depth FROM (SELECT count(*) AS n FROM found AS f GROUP BY f.n) AS l), true)
	INTO heads
	FROM (SELECT f.event_id AS id, sum(f.part)::bigint AS seen FROM found AS f GROUP BY 1) AS s;
	RETURN heads;
END
$$;
COMMENT ON FUNCTION days_first(bigint, bigint, integer) IS
	'The first depth entries of the list of each day that a window touches: the events in descending order of what these lists say of them, of a day that is cut off the part inside; which is no bound (unseen is NULL).';

/*
 * No list is read further than it must: with bounds above one step b of each,
 * an event in none of them has at most T = b * lists, and b is the greatest
 * step with which T < kth. One that is found has at most T plus, for each list
 * that it was found in, its bound - b.
 */
CREATE FUNCTION days_above(first date, last date, kth bigint, known text[], at_most integer) RETURNS board_heads
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	lists constant integer := last - first + 1;
	step constant bigint := turnout.day_step((kth - 1) / lists);
	heads turnout.board_heads;
	longest bigint;
BEGIN
	IF step * lists >= kth THEN
		RETURN NULL;
	END IF;
	WITH found AS MATERIALIZED (
		SELECT h.event_id, h.bound - step AS above
		FROM generate_series(0, last - first) AS d (n)
		CROSS JOIN LATERAL (
			SELECT e.event_id, e.bound FROM turnout.event_days AS e
			WHERE e.day = first + d.n AND e.bound > 3 AND e.bound > step
			ORDER BY e.bound DESC, e.event_id LIMIT at_most) AS h
		LIMIT at_most
	), others AS (
		SELECT a.id, step * lists + sum(a.above)::bigint AS most
		FROM (
			SELECT f.event_id AS id, f.above FROM found AS f
			UNION ALL
			SELECT u.id, NULL FROM unnest(known) AS u (id)) AS a
		GROUP BY 1
		HAVING count(*) = count(a.above) AND step * lists + sum(a.above) >= kth
	)
	SELECT array_agg(o.id ORDER BY o.most DESC), array_agg(o.most ORDER BY o.most DESC), step * lists, true,
		(SELECT count(*) FROM found)
	INTO heads.ids, heads.most, heads.unseen, heads.ended, longest
	FROM others AS o;
	RETURN CASE WHEN longest < at_most THEN heads END;
END
$$;
COMMENT ON FUNCTION days_above(date, date, bigint, text[], integer) IS
	'The events outside of known that may have kth or more in the days from first to last; unseen is below kth. NULL where the lists'' entries do not tell, or are at_most or more.';

CREATE FUNCTION heads_by_counts(skip integer, depth integer, at_least bigint, first date, last date)
	RETURNS board_heads
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	heads turnout.board_heads;
BEGIN
	SELECT array_agg(h.event_id ORDER BY h.bound DESC) FILTER (WHERE h.touches),
		array_agg(h.bound ORDER BY h.bound DESC) FILTER (WHERE h.touches),
		CASE WHEN count(*) = depth - skip THEN min(h.bound) ELSE greatest(at_least - 1, 0) END,
		count(*) < depth - skip AND at_least = 0
	INTO heads
	FROM (
		SELECT c.event_id, c.bound, first IS NULL OR (c.first_day <= last AND c.last_day >= first) AS touches
		FROM turnout.event_counts AS c
		WHERE c.bound >= at_least
		ORDER BY c.bound DESC, c.event_id OFFSET skip LIMIT depth - skip) AS h;
	RETURN heads;
END
$$;
COMMENT ON FUNCTION heads_by_counts(integer, integer, bigint, date, date) IS
	'The entries skip + 1 to depth of the all-time list, as far as their bound is at_least that (0: all), without events whose days are all before first or all after last (NULL: all time).';

CREATE FUNCTION heads_of_events(ids text[], measure text, first date, last date) RETURNS board_heads
	LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	heads turnout.board_heads;
BEGIN
	SELECT array_agg(h.id ORDER BY h.most DESC), array_agg(h.most ORDER BY h.most DESC), 0, true
	INTO heads
	FROM (
		SELECT d.event_id AS id, sum(CASE measure WHEN 'rsvps' THEN d.rsvps ELSE d.headcount END)::bigint AS most
		-- In the order of the index, whose upper pages are then at hand.
		FROM (SELECT i.id FROM unnest(ids) AS i (id) ORDER BY i.id COLLATE "C") AS u
		JOIN turnout.event_days AS d ON d.event_id = u.id COLLATE "C" AND d.day BETWEEN first AND last
		WHERE first IS NOT NULL
		GROUP BY 1
		UNION ALL
		SELECT c.event_id, CASE measure WHEN 'rsvps' THEN c.rsvps ELSE c.headcount END
		FROM unnest(ids) AS u (id)
		JOIN turnout.event_counts AS c ON c.event_id = u.id COLLATE "C"
		WHERE first IS NULL) AS h;
	RETURN heads;
END
$$;
COMMENT ON FUNCTION heads_of_events(text[], text, date, date) IS
	'These events as if they were a list, each with the sum of its days from first to last (both NULL: all time); there are no others.';

/*
 * Takes exact sums from the top of h, some at a time, until the k-th of all is
 * greater than the most that the next may have; equal is not enough, since
 * the next could come first by its id, and who asks for all that share a
 * place wants it too. Where h is in a good order without bounds, until there
 * are k: at first an eighth more, so that the k-th of them is a great one.
 */
CREATE FUNCTION best_of_heads(known board_best, h board_heads, measure text, k integer, from_ms bigint,
	to_ms bigint, f event_filter) RETURNS board_best
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	filtered constant boolean := turnout.event_filter_given(f);
	bounded constant boolean := (h).unseen IS NOT NULL;
	heads constant text[] := (h).ids;
	most constant bigint[] := (h).most;
	best turnout.board_best := known;
	part text[];
	more turnout.board_best;
	step integer := CASE WHEN (known).kth > 0 THEN k / 4 + 20 ELSE k + k / 8 + 5 END;
	at integer := 1;
BEGIN
	WHILE at <= cardinality(heads) LOOP
		EXIT WHEN CASE WHEN bounded THEN best.kth > most[at] ELSE best.kth > 0 END;
		part := heads[at:at + step - 1];
		IF filtered THEN
			part := ARRAY(SELECT e.event_id FROM turnout.fitting_events(part, NULL, NULL, f) AS e);
		END IF;
		SELECT array_agg(s.event_id), array_agg(s.rsvps), array_agg(s.headcount)
		INTO more.ids, more.rsvps, more.headcounts
		FROM turnout.window_sums(part, measure, from_ms, to_ms, best.kth) AS s;
		IF more.ids IS NOT NULL THEN
			best.ids := best.ids || more.ids;
			best.rsvps := best.rsvps || more.rsvps;
			best.headcounts := best.headcounts || more.headcounts;
			best.kth := turnout.kth_of(CASE measure WHEN 'rsvps' THEN best.rsvps ELSE best.headcounts END, k);
		END IF;
		at := at + step;
		step := CASE WHEN best.kth = 0 THEN least(step * 2, 4000) ELSE k / 4 + 20 END;
	END LOOP;
	best.summed := (known).summed + least(at - 1, coalesce(cardinality(heads), 0));
	RETURN best;
END
$$;
COMMENT ON FUNCTION best_of_heads(board_best, board_heads, text, integer, bigint, bigint, event_filter) IS
	'known, and events of h that fit the filter with their counts: all whose count is not below the k-th greatest, where h has bounds.';

CREATE FUNCTION days_us(k integer, depth integer, each double precision, lists integer, length_ms bigint)
	RETURNS double precision
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (2 * each * lists * depth + 25 * (2 * k + 20)) * (86400000.0 * lists / length_ms);
COMMENT ON FUNCTION days_us(integer, integer, double precision, integer, bigint) IS
	'About how many microseconds the first k of a window take by the first depth entries of its days'' lists: each is what an entry costs, 25 an exact sum. The less of its days a window has, the deeper they are read.';

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
 * (Of all time there is one list, and `most` is the bound in it.) Exact counts
 * are taken in descending order of `most` until the k-th of them is greater
 * than the next `most`, and than T. Then each event without an exact count has
 * less than the k-th: it is not on the board, nor tied with its last place.
 * With an equal count it could be, by an id that comes first; hence "greater",
 * not "greater or equal", in both places.
 *
 * How far the days' lists must be read is known before: k events that their
 * heads name have exact counts, of which the k-th, `kth`, is not above the
 * k-th of the board. So the lists are read down to a T < kth, and of what is
 * found there only events whose `most` is not below kth are looked at.
 *
 * Up to two weeks are found by days: what they cost does not depend on how
 * long ago the first RSVP was. Longer windows begin with the all-time list,
 * whose top is much the same, but for events without a day in the window.
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
AS $$
DECLARE
	filtered constant boolean := turnout.event_filter_given(f);
	first constant date := turnout.mtime_day(from_ms);
	last constant date := turnout.mtime_day(to_ms - 1);
	lists constant integer := last - first + 1;
	-- Microseconds, by measurement: of an entry of a list, and of the rows.
	-- Below, 5 are those of the days of an event in the all-time list (which
	-- is given up where the days' lists cost less).
	each constant double precision := CASE WHEN filtered THEN 4 ELSE 1 END;
	scan constant double precision := CASE WHEN from_ms IS NULL THEN 'infinity'
		WHEN path IS NULL THEN CASE WHEN filtered THEN 1 ELSE 0.4 END * turnout.window_rows(from_ms, to_ms) END;
	none constant turnout.board_best := ROW('{}', '{}', '{}', 0, 0);
	depth integer := 2 * k + 30;
	skip integer := 0;
	own text[];
	h turnout.board_heads;
	complete boolean;
	best turnout.board_best := none;
BEGIN
	IF from_ms IS NULL AND NOT filtered AND NOT ties THEN
		SELECT array_agg(b.event_id), array_agg(b.rsvps), array_agg(b.headcount)
		INTO best.ids, best.rsvps, best.headcounts FROM turnout.board(measure, k) AS b;
		RETURN best;
	END IF;
	IF filtered AND coalesce(path = 'events', true) THEN
		own := turnout.filter_events(f, CASE path WHEN 'events' THEN 10000000
			ELSE least(greatest(500, scan / 16), 14000 + 100 * k)::integer END);
	END IF;
	IF own IS NULL AND (from_ms IS NULL OR coalesce(path = 'counts', lists > 14)) THEN
		LOOP
			EXIT WHEN path IS NULL AND from_ms IS NOT NULL
				AND 5 * each * depth > least(scan / 2, 20.0 * lists * (2 * k + 30));
			h := turnout.heads_by_counts(skip, depth, best.kth, first, last);
			best := turnout.best_of_heads(best, h, measure, k, from_ms, to_ms, f);
			IF best.kth > (h).unseen OR (h).ended THEN
				RAISE DEBUG 'board by counts: % of % heads, k-th %, unseen %, scan % us',
					best.summed, depth, best.kth, (h).unseen, round(scan);
				RETURN best;
			END IF;
			skip := depth;
			depth := depth * 3;
		END LOOP;
		depth := 2 * k + 30;
	END IF;
	-- Where a filter leaves few of the first events, or those that are not
	-- great ones, their k-th says little: more of them then, and again.
	IF own IS NULL AND lists < 1000 AND coalesce(path = 'days', true) THEN
		WHILE coalesce(turnout.days_us(k, depth, each, lists, to_ms - from_ms) < scan, true) LOOP
			h := turnout.days_first(from_ms, to_ms, depth);
			best := turnout.best_of_heads(none, h, measure, k, from_ms, to_ms, f);
			complete := (h).ended;
			h := turnout.days_above(first, last, best.kth, best.ids,
				least(2000 + 8.0 * lists * depth, 100000000)::integer);
			EXIT WHEN (6 + 2 * each) * cardinality((h).ids) > scan;
			IF (h).unseen IS NOT NULL THEN
				best := turnout.best_of_heads(best, h, measure, k, from_ms, to_ms, f);
				RAISE DEBUG 'board by days: depth %, % of % heads, k-th %, unseen %, scan % us',
					depth, best.summed, cardinality((h).ids), best.kth, (h).unseen, round(scan);
				RETURN best;
			END IF;
			EXIT WHEN complete;
			depth := depth * 4;
		END LOOP;
	END IF;
	IF own IS NULL AND filtered AND scan > 100000 THEN
		own := turnout.filter_events(f, least(scan / 16, 300000)::integer);
	END IF;
	IF own IS NULL THEN
		RAISE DEBUG 'board by rows: depth %, scan % us', depth, round(scan);
		IF path IS NULL AND NOT filtered AND NOT ties THEN
			RETURN NULL;
		END IF;
		RETURN turnout.best_by_scan(measure, k, ties, from_ms, to_ms, f);
	END IF;
	h := turnout.heads_of_events(own, measure, first, last);
	best := turnout.best_of_heads(none, h, measure, k, from_ms, to_ms, NULL);
	RAISE DEBUG 'board by events: % of % heads, own %, scan % us', best.summed,
		cardinality((h).ids), cardinality(own), round(scan);
	RETURN best;
END
$$;
COMMENT ON FUNCTION window_best(text, integer, boolean, bigint, bigint, event_filter, text) IS
	'Events with their counts in a window (NULL times: all time) under a filter, among them all whose count is not below the k-th greatest (without ties: at least the first k in board order). path: NULL takes the cheapest, or ''days'', ''counts'', ''events'' (the filter''s) or ''scan'', for tests; all are exact. NULL, where path is and there is neither a filter nor ties: the cheapest is the statement of scan_sql(). Says at DEBUG1 which way it took.';

CREATE FUNCTION window_fits(measure text, k integer, from_ms bigint, to_ms bigint) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(measure IN ('rsvps', 'headcount') AND k BETWEEN 1 AND 1001 AND CASE
	WHEN from_ms IS NULL THEN to_ms IS NULL
	ELSE 0 <= from_ms AND from_ms < to_ms AND to_ms <= 253402300800000 END, false);
COMMENT ON FUNCTION window_fits(text, integer, bigint, bigint) IS
	'Whether these can be asked for: check_window() says why not.';

CREATE FUNCTION check_window(measure text, k integer, from_ms bigint, to_ms bigint) RETURNS void
	LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF NOT turnout.window_fits(measure, k, from_ms, to_ms) THEN
		RAISE EXCEPTION '%', CASE
			WHEN coalesce(measure NOT IN ('rsvps', 'headcount'), true) THEN
				format('measure must be rsvps or headcount, not "%s"', measure)
			WHEN coalesce(k NOT BETWEEN 1 AND 1001, true) THEN format('k must be from 1 to 1001, not %s', k)
			WHEN (from_ms IS NULL) <> (to_ms IS NULL) THEN 'from_ms and to_ms come together'
			ELSE format('0 <= from_ms < to_ms <= 253402300800000 does not hold: from_ms %s, to_ms %s',
				from_ms, to_ms) END USING ERRCODE = 'invalid_parameter_value';
	END IF;
END
$$;
COMMENT ON FUNCTION check_window(text, integer, bigint, bigint) IS
	'Nothing, or SQLSTATE 22023 with what is wrong with these parameters.';

/*
 * A window of up to a day is looked at first: where its rows are by far the
 * cheapest way, window_best() would take a tenth of their time to find that.
 */
CREATE FUNCTION board_window(measure text, k integer, from_ms bigint, to_ms bigint,
	country text, city text, group_id bigint, group_urlname text, topic text,
	starts text, now_ms bigint)
	RETURNS TABLE (event_id text, rsvps bigint, headcount bigint)
	LANGUAGE plpgsql STABLE
	-- By an index, as in window_best(); scan_sql() in memory, some 200,000 events.
	SET enable_seqscan = off SET enable_bitmapscan = off
	SET plan_cache_mode = force_generic_plan SET work_mem = '16MB' SET jit = off
AS $$
DECLARE
	few boolean;
	cut text;
	n bigint;
	mode text;
	best turnout.board_best;
BEGIN
	IF turnout.window_fits(measure, k, from_ms, to_ms) AND to_ms - from_ms <= 86400000
		AND num_nonnulls(country, city, group_id, group_urlname, topic, starts) = 0 THEN
		-- A quarter, since it is only a guess.
		SELECT g.us < turnout.days_us(k, 2 * k + 30, 1, turnout.mtime_day(to_ms - 1)
			- turnout.mtime_day(from_ms) + 1, to_ms - from_ms) / 4, g.cut
		INTO few, cut FROM turnout.rows_guess(k, from_ms, to_ms) AS g;
	END IF;
	IF few THEN
		RAISE DEBUG 'board by rows: at first sight';
	ELSE
		PERFORM turnout.check_window(measure, k, from_ms, to_ms);
		best := turnout.window_best(measure, k, false, from_ms, to_ms, turnout.event_filter(country, city,
			group_id, group_urlname, topic, starts, now_ms), NULL);
	END IF;
	IF best IS NULL THEN
		-- As scan_sql() has it, and planned each time too, but parsed before.
		mode := set_config('plan_cache_mode', 'force_custom_plan', true);
		IF measure = 'rsvps' THEN
			RETURN QUERY SELECT r.event_id, count(*), count(*) + coalesce(sum(r.guests), 0)
			FROM turnout.rsvps AS r
			WHERE (r.response = 'yes') IS TRUE AND r.mtime_ms >= from_ms AND r.mtime_ms < to_ms
			GROUP BY 1 HAVING cut IS NULL OR count(*) > 1 OR r.event_id <= cut COLLATE "C"
			ORDER BY 2 DESC, 1 LIMIT k;
		ELSE
			RETURN QUERY SELECT r.event_id, count(*), count(*) + coalesce(sum(r.guests), 0)
			FROM turnout.rsvps AS r
			WHERE (r.response = 'yes') IS TRUE AND r.mtime_ms >= from_ms AND r.mtime_ms < to_ms
			GROUP BY 1 HAVING cut IS NULL OR count(*) + coalesce(sum(r.guests), 0) > 1
				OR r.event_id <= cut COLLATE "C"
			ORDER BY 3 DESC, 1 LIMIT k;
		END IF;
		GET DIAGNOSTICS n = ROW_COUNT;
		IF n < k AND cut IS NOT NULL THEN
			RAISE DEBUG 'board by rows: after % the rest', n;
			RETURN QUERY EXECUTE turnout.scan_sql(measure) USING from_ms, to_ms, k - n, cut;
		END IF;
		RETURN;
	END IF;
	RETURN QUERY
	SELECT u.id, u.rsvps, u.headcount FROM unnest(best.ids, best.rsvps, best.headcounts) AS u (id, rsvps, headcount)
	ORDER BY CASE measure WHEN 'rsvps' THEN u.rsvps ELSE u.headcount END DESC, u.id COLLATE "C"
	LIMIT k;
END
$$;
COMMENT ON FUNCTION board_window(text, integer, bigint, bigint, text, text, bigint, text, text, text, bigint) IS
	'The first k events (1 to 1001) by measure (''rsvps'' or ''headcount'') over the current yes RSVPs with from_ms <= mtime_ms < to_ms (ms since 1970-01-01 UTC; both NULL: all time), ties by event_id in byte order; only events with at least one. Filters, NULL = not given: country and city without case, group_id, group_urlname and topic (urlkey) exactly, starts ''upcoming'' (start >= now_ms), ''week'' (and before now_ms + 7 days) or ''past'' (start < now_ms). Exact. SQLSTATE 22023 for a parameter that is none of these.';

DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc AS p WHERE p.pronamespace = 'turnout'::regnamespace
		AND p.proname IN ('day_step', 'days_first', 'days_above', 'heads_by_counts', 'heads_of_events',
		'best_of_heads', 'days_us', 'window_best', 'window_fits', 'check_window', 'board_window') LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO turnout_ingest, turnout_web', f);
	END LOOP;
END
$$;
