-- What the pages show beyond the API: how many more events share the last
-- place, the last day by the hour, ranks in several windows, what is on at a
-- place, what a form suggests, and why records were set aside.

CREATE FUNCTION page_best(measure text, k integer, from_ms bigint, to_ms bigint, f event_filter)
	RETURNS board_best
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	best constant turnout.board_best := turnout.window_best(measure, k, false, from_ms, to_ms, f, NULL);
BEGIN
	IF best IS NULL THEN
		RETURN turnout.best_by_scan(measure, k, false, from_ms, to_ms, f);
	END IF;
	RETURN best;
END
$$;
COMMENT ON FUNCTION page_best(text, integer, bigint, bigint, event_filter) IS
	'At least the first k events of a window and filter, in no order: window_best() without ties, and where that leaves the window to a scan, the scan. k may be more than a board has.';

/*
 * The board is asked for one event more; only where that has the count of the
 * last one, and the board was quick, for a hundred more to count them.
 */
CREATE FUNCTION board_page(measure text, k integer, from_ms bigint, to_ms bigint,
	country text, city text, group_id bigint, group_urlname text, topic text,
	starts text, now_ms bigint)
	RETURNS TABLE (event_id text, rsvps bigint, headcount bigint, tied integer)
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	f constant turnout.event_filter := turnout.event_filter(country, city, group_id, group_urlname,
		topic, starts, now_ms);
	began constant timestamptz := clock_timestamp();
	best turnout.board_best;
	counts bigint[];
	more integer := 0;
BEGIN
	PERFORM turnout.check_window(measure, k, from_ms, to_ms);
	best := turnout.page_best(measure, k + 1, from_ms, to_ms, f);
	counts := CASE measure WHEN 'rsvps' THEN best.rsvps ELSE best.headcounts END;
	IF turnout.kth_of(counts, k) = turnout.kth_of(counts, k + 1) AND turnout.kth_of(counts, k) > 0 THEN
		more := NULL;
		IF clock_timestamp() - began < interval '150 ms' THEN
			best := turnout.page_best(measure, k + 100, from_ms, to_ms, f);
			counts := CASE measure WHEN 'rsvps' THEN best.rsvps ELSE best.headcounts END;
			more := (SELECT count(*) FROM (
				SELECT u.n FROM unnest(counts) AS u (n) ORDER BY u.n DESC OFFSET k LIMIT 100) AS o
				WHERE o.n = turnout.kth_of(counts, k));
		END IF;
	END IF;
	RETURN QUERY
	SELECT u.id, u.rsvps, u.headcount, more
	FROM unnest(best.ids, best.rsvps, best.headcounts) AS u (id, rsvps, headcount)
	ORDER BY CASE measure WHEN 'rsvps' THEN u.rsvps ELSE u.headcount END DESC, u.id COLLATE "C"
	LIMIT k;
END
$$;
COMMENT ON FUNCTION board_page(text, integer, bigint, bigint, text, text, bigint, text, text, text, bigint) IS
	'The board of board_window (parameters and errors as there), and on each row how many events that are not on it have the count of its last one: 0 to 100, 100 meaning at least as many; NULL: at least one, and counting them would take long.';

CREATE FUNCTION event_hours(event_id text, from_ms bigint) RETURNS integer[]
	LANGUAGE plpgsql STABLE
	SET enable_seqscan = off SET enable_bitmapscan = off
	SET plan_cache_mode = force_generic_plan SET jit = off
AS $$
DECLARE
	id constant text := event_hours.event_id;
	since constant bigint := event_hours.from_ms;
	hours integer[] := array_fill(0, ARRAY[24]);
	h record;
	n bigint := 0;
BEGIN
	FOR h IN
		SELECT (r.at / 3600000)::integer + 1 AS hour, count(*)::integer AS n
		FROM (
			SELECT y.mtime_ms - since AS at FROM turnout.rsvps AS y
			WHERE y.event_id = id COLLATE "C" AND y.response = 'yes'
			AND y.mtime_ms >= since AND y.mtime_ms < since + 86400000
			LIMIT 20001) AS r
		GROUP BY 1
	LOOP
		hours[h.hour] := h.n;
		n := n + h.n;
	END LOOP;
	RETURN CASE WHEN n <= 20000 THEN hours END;
END
$$;
COMMENT ON FUNCTION event_hours(text, bigint) IS
	'The current yes RSVPs of an event in each of the 24 hours from from_ms (ms since 1970-01-01 UTC) on. NULL where they are more than 20000: that many are not read for a plot.';

/*
 * Each window is tried with its first 100, which is quick, and with its first
 * 1000 while there is time left; with neither when that is long over.
 */
CREATE FUNCTION event_ranks(id text, measure text, now_ms bigint, budget_ms integer)
	RETURNS TABLE (window_ms bigint, rank bigint, beyond integer, rsvps bigint, headcount bigint)
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	began constant timestamptz := clock_timestamp();
	every_event constant turnout.event_filter := turnout.event_filter(NULL, NULL, NULL, NULL, NULL, NULL, now_ms);
	best turnout.board_best;
	depth integer;
BEGIN
	FOREACH window_ms IN ARRAY ARRAY[86400000, 604800000, 2592000000] LOOP
		rank := NULL;
		beyond := NULL;
		SELECT s.rsvps, s.headcount INTO rsvps, headcount
		FROM turnout.window_sums(ARRAY[id], measure, greatest(now_ms - window_ms, 0), now_ms, 0) AS s;
		FOREACH depth IN ARRAY ARRAY[100, 1000] LOOP
			EXIT WHEN rsvps IS NULL OR clock_timestamp() - began
				> budget_ms * CASE depth WHEN 100 THEN 4 ELSE 1 END * interval '1 millisecond';
			best := turnout.window_best(measure, depth, true, greatest(now_ms - window_ms, 0), now_ms,
				every_event, NULL);
			SELECT p.rank INTO rank FROM turnout.window_places(best, measure) AS p
			WHERE p.event_id = id COLLATE "C" AND p.rank <= depth;
			EXIT WHEN FOUND;
			beyond := depth;
		END LOOP;
		IF rank IS NOT NULL THEN
			beyond := NULL;
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION event_ranks(text, text, bigint, integer) IS
	'An event''s counts and competition rank by measure (''rsvps'' or ''headcount'') in the last day, 7 days and 30 days before now_ms. rsvps NULL: no yes in that window; rank NULL: beyond the place that beyond says (100 or 1000), or not known where that is NULL too, since more than four times budget_ms were over.';

CREATE FUNCTION events_on(of_group bigint, at_venue bigint, now_ms bigint, at_most integer)
	RETURNS TABLE (part integer, place bigint, event_id text)
	LANGUAGE plpgsql STABLE
	SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off
AS $$
BEGIN
	RETURN QUERY EXECUTE format($on$
		(SELECT 0, row_number() OVER (ORDER BY e.starts_ms, e.event_id), e.event_id FROM turnout.events AS e
		WHERE e.%1$I = $1 AND e.starts_ms >= $2 ORDER BY e.starts_ms LIMIT $3)
		UNION ALL
		(SELECT 1, row_number() OVER (ORDER BY e.starts_ms DESC, e.event_id), e.event_id FROM turnout.events AS e
		WHERE e.%1$I = $1 AND e.starts_ms < $2 ORDER BY e.starts_ms DESC LIMIT $3)
		UNION ALL
		(SELECT 2, row_number() OVER (), e.event_id FROM turnout.events AS e
		WHERE e.%1$I = $1 AND e.starts_ms IS NULL LIMIT $3) $on$,
		CASE WHEN of_group IS NULL THEN 'venue_id' ELSE 'group_id' END)
	USING coalesce(of_group, at_venue), now_ms, at_most;
END
$$;
COMMENT ON FUNCTION events_on(bigint, bigint, bigint, integer) IS
	'The events of a group, or (of_group NULL) at a venue: part 0, those that start at now_ms or later, soonest first; part 1, those before, latest first; part 2, those without a start; at most at_most of each, place counts within a part.';

/*
 * A page is made too often to read all groups for it (topics(), cities() and
 * countries() do); the newest say enough of where there is something to see.
 */
CREATE FUNCTION suggestions(at_most integer, sample integer)
	RETURNS TABLE (kind text, value text, name text, groups bigint, whole boolean)
	LANGUAGE sql STABLE
AS $$
	WITH newest AS MATERIALIZED (
		SELECT g.city, turnout.fold(g.country) AS country, g.group_id, g.topics,
			row_number() OVER (ORDER BY g.group_id DESC) AS place
		FROM turnout.groups AS g ORDER BY g.group_id DESC LIMIT sample
	), whole AS (
		SELECT count(*) < sample AS cities, count(*) < sample / 10 AS topics FROM newest
	)
	(SELECT 'city', min(n.city COLLATE "C"), n.country, count(*), w.cities FROM newest AS n, whole AS w
	WHERE n.city <> '' GROUP BY turnout.fold(n.city), n.country, w.cities ORDER BY 4 DESC, 2, 3 LIMIT at_most)
	UNION ALL
	(SELECT 'country', n.country, NULL, count(*), w.cities FROM newest AS n, whole AS w
	WHERE n.country ~ '^[a-z]{2}$' GROUP BY 2, w.cities ORDER BY 4 DESC, 2 LIMIT at_most)
	UNION ALL
	(SELECT 'topic', t.topic ->> 'urlkey', min(t.topic ->> 'topic_name'), count(DISTINCT n.group_id), w.topics
	FROM newest AS n, whole AS w, jsonb_array_elements(
		CASE jsonb_typeof(n.topics) WHEN 'array' THEN n.topics END) AS t (topic)
	WHERE n.place <= sample / 10 AND t.topic ->> 'urlkey' <> ''
	GROUP BY 2, w.topics ORDER BY 4 DESC, 2 LIMIT at_most)
$$;
COMMENT ON FUNCTION suggestions(integer, integer) IS
	'What a form suggests, at most at_most of each kind, those of most groups first: ''city'' (name is the folded country), ''country'' (two letters), ''topic'' (value is the urlkey). Counted over the sample groups of the greatest ids, topics over a tenth of them; whole says that these are all groups there are.';

CREATE FUNCTION letter_reasons(sample integer)
	RETURNS TABLE (reason text, letters bigint, last_at timestamptz, whole boolean)
	LANGUAGE sql STABLE SECURITY DEFINER SET search_path = turnout, pg_temp
AS $$
	SELECT l.reason, count(*), max(l.received_at), max(l.n) < sample
	FROM (
		SELECT d.reason, d.received_at, count(*) OVER () AS n
		FROM (SELECT x.reason, x.received_at FROM dead_letters AS x
			ORDER BY x.dead_letter_id DESC LIMIT sample) AS d) AS l
	GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50
$$;
COMMENT ON FUNCTION letter_reasons(integer) IS
	'How many of the latest sample dead letters have each reason, and when the last one came; whole says that these are all there are. For those who may not read the letters themselves.';

DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc AS p WHERE p.pronamespace = 'turnout'::regnamespace
		AND p.proname IN ('page_best', 'board_page', 'event_hours', 'event_ranks', 'events_on', 'suggestions',
		'letter_reasons') LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO turnout_ingest, turnout_web', f);
	END LOOP;
END
$$;
