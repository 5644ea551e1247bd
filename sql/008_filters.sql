-- What a board's filters need: places compared without case, the groups of a
-- topic, events by their start, and which events a filter leaves.

-- The rule of Unicode whatever the database's locale; "C" knows ASCII only.
-- PostgreSQL 15 has no casefold(), and lower() alone tells "Straße" from
-- "STRASSE": there and back again does not.
CREATE FUNCTION fold(name text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(upper(lower(name COLLATE "und-x-icu"))) COLLATE "C";
COMMENT ON FUNCTION fold(text) IS
	'A name as it is compared without case: by Unicode''s rules (ICU, no language), the lower case of the upper case of the lower case. NULL gives NULL.';

-- A name may have 4096 bytes; an entry of a B-tree may not.
CREATE FUNCTION fold_key(name text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN left(fold(name), 200);
COMMENT ON FUNCTION fold_key(text) IS
	'The first 200 characters of fold(name): what an index keeps. Equal names have equal keys; compare the names too.';

-- None of these columns changes when a batch names a group or an event again,
-- so those updates stay heap-only.
CREATE INDEX groups_country ON groups (fold_key(country));
CREATE INDEX groups_city ON groups (fold_key(city));
CREATE INDEX groups_urlname ON groups (left(urlname, 200));
CREATE INDEX events_starts ON events (starts_ms) WHERE starts_ms IS NOT NULL;

CREATE TABLE group_topics (
	urlkey   text COLLATE "C" NOT NULL,
	group_id bigint NOT NULL,
	PRIMARY KEY (urlkey, group_id)
);
COMMENT ON TABLE group_topics IS 'The groups of a topic: groups.topics the other way round. Kept by triggers on groups';
COMMENT ON COLUMN group_topics.urlkey IS 'The topic, 1 to 512 bytes; a longer key cannot be asked for and is left out';
COMMENT ON COLUMN group_topics.group_id IS 'A group that names it';
GRANT SELECT ON group_topics TO turnout_ingest, turnout_web;

CREATE FUNCTION topic_keys(topics jsonb) RETURNS SETOF text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT DISTINCT t.topic ->> 'urlkey'
	FROM jsonb_array_elements(CASE jsonb_typeof(topics) WHEN 'array' THEN topics END) AS t (topic)
	WHERE octet_length(t.topic ->> 'urlkey') BETWEEN 1 AND 512
$$;
COMMENT ON FUNCTION topic_keys(jsonb) IS
	'The urlkeys of groups.topics, each once; none for NULL. Leaves out those of more than 512 bytes.';

-- By the row: two transactions that write the same topics meet in no row here,
-- and a group's row is locked before its topics are.
CREATE FUNCTION groups_topics() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = turnout, pg_temp
AS $$
BEGIN
	IF TG_OP <> 'INSERT' THEN
		-- An array: a plan by the whole key even while the table is empty, and
		-- a session keeps it.
		DELETE FROM group_topics WHERE group_id = OLD.group_id
		AND urlkey = ANY (ARRAY(SELECT topic_keys(OLD.topics)));
	END IF;
	IF TG_OP <> 'DELETE' THEN
		INSERT INTO group_topics (urlkey, group_id)
		SELECT k, NEW.group_id FROM topic_keys(NEW.topics) AS k
		ON CONFLICT DO NOTHING;
	END IF;
	RETURN NULL;
END
$$;
CREATE FUNCTION groups_topics_truncate() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = turnout, pg_temp
AS $$
BEGIN
	TRUNCATE group_topics;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION groups_topics() IS 'Trigger: makes group_topics follow a row of groups';
COMMENT ON FUNCTION groups_topics_truncate() IS 'Trigger: no groups, no topics';

-- Most updates only say that a group was named again: src_* move on, and its
-- content_hash tells, without its topics, which lie apart. What a person
-- changes leaves src_* as they are, and so does content that is sent later, when
-- the row has its hash already: then the topics are looked at.
CREATE TRIGGER groups_topics_insert AFTER INSERT ON groups
	FOR EACH ROW WHEN (NEW.topics IS NOT NULL) EXECUTE FUNCTION groups_topics();
CREATE TRIGGER groups_topics_update AFTER UPDATE OF group_id, topics ON groups
	FOR EACH ROW WHEN (OLD.content_hash <> NEW.content_hash OR OLD.group_id <> NEW.group_id
		OR ((OLD.src_ts, OLD.src_part, OLD.src_offset) = (NEW.src_ts, NEW.src_part, NEW.src_offset)
			AND OLD.topics IS DISTINCT FROM NEW.topics))
	EXECUTE FUNCTION groups_topics();
CREATE TRIGGER groups_topics_delete AFTER DELETE ON groups
	FOR EACH ROW EXECUTE FUNCTION groups_topics();
CREATE TRIGGER groups_topics_truncate AFTER TRUNCATE ON groups
	FOR EACH STATEMENT EXECUTE FUNCTION groups_topics_truncate();

INSERT INTO group_topics (urlkey, group_id)
SELECT k, g.group_id FROM groups AS g, topic_keys(g.topics) AS k;

CREATE TYPE event_filter AS (
	country       text,
	city          text,
	group_id      bigint,
	group_urlname text,
	topic         text,
	starts        text,
	now_ms        bigint
);
COMMENT ON TYPE event_filter IS
	'Which events: all that is given must fit, NULL = not given. country and city folded by fold(); topic is a urlkey; starts ''upcoming'' (start >= now_ms), ''week'' (and before now_ms + 7 days) or ''past'' (start < now_ms).';

CREATE FUNCTION event_filter(country text, city text, group_id bigint, group_urlname text,
	topic text, starts text, now_ms bigint) RETURNS event_filter
	LANGUAGE plpgsql IMMUTABLE
AS $$
BEGIN
	IF starts NOT IN ('upcoming', 'week', 'past') THEN
		RAISE EXCEPTION 'starts must be upcoming, week or past, not "%"', starts
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF starts IS NOT NULL AND now_ms IS NULL THEN
		RAISE EXCEPTION 'starts needs now_ms' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN ROW(turnout.fold(country), turnout.fold(city), group_id, group_urlname,
		topic, starts, now_ms)::turnout.event_filter;
END
$$;
COMMENT ON FUNCTION event_filter(text, text, bigint, text, text, text, bigint) IS
	'The filter of these parameters. SQLSTATE 22023 where starts is no word it knows, or comes without now_ms.';

CREATE FUNCTION event_filter_given(f event_filter) RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN num_nonnulls((f).country, (f).city, (f).group_id, (f).group_urlname, (f).topic, (f).starts) > 0;
COMMENT ON FUNCTION event_filter_given(event_filter) IS 'Whether the filter leaves anything out.';

-- Not STRICT and plain, so that both are inlined.
CREATE FUNCTION fits_group(g groups, f event_filter) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
RETURN ((f).country IS NULL OR turnout.fold(g.country) = (f).country)
	AND ((f).city IS NULL OR turnout.fold(g.city) = (f).city)
	AND ((f).group_urlname IS NULL OR g.urlname = (f).group_urlname);
COMMENT ON FUNCTION fits_group(groups, event_filter) IS
	'Whether a group is where the filter says and has its urlname; what the group lacks does not fit.';

CREATE FUNCTION fits_start(starts_ms bigint, f event_filter) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE (f).starts WHEN 'upcoming' THEN starts_ms >= (f).now_ms
	WHEN 'week' THEN starts_ms >= (f).now_ms AND starts_ms < (f).now_ms + 604800000
	WHEN 'past' THEN starts_ms < (f).now_ms ELSE true END;
COMMENT ON FUNCTION fits_start(bigint, event_filter) IS
	'Whether an event starts when the filter says; one without a start fits none of its words.';

/* An event whose row, or whose group's row, is not there fits no filter that
 * asks for something of it. */
CREATE FUNCTION fitting_events(ids text[], rsvps bigint[], headcounts bigint[], f event_filter)
	RETURNS TABLE (event_id text, rsvps bigint, headcount bigint)
	LANGUAGE sql STABLE PARALLEL SAFE
AS $$
	SELECT e.event_id, u.rsvps, u.headcount
	FROM unnest(ids, rsvps, headcounts) AS u (id, rsvps, headcount)
	JOIN turnout.events AS e ON e.event_id = u.id COLLATE "C"
	LEFT JOIN turnout.groups AS g ON g.group_id = e.group_id
	WHERE turnout.fits_start(e.starts_ms, f)
	AND ((f).group_id IS NULL OR e.group_id = (f).group_id)
	AND turnout.fits_group(g, f)
	AND ((f).topic IS NULL OR EXISTS (SELECT FROM turnout.group_topics AS t
		WHERE t.urlkey = (f).topic AND t.group_id = e.group_id))
$$;
COMMENT ON FUNCTION fitting_events(text[], bigint[], bigint[], event_filter) IS
	'Those of the events that fit the filter, with the counts that lie beside them (NULL arrays: none); three look-ups each.';

/*
 * The filter's own events: its groups first, by the narrowest of what it says,
 * then theirs. The branches that do not apply cost nothing: what they ask of
 * the filter is asked once, before they start.
 */
CREATE FUNCTION filter_events(f event_filter, at_most integer) RETURNS text[]
	LANGUAGE plpgsql STABLE
AS $$
DECLARE
	of_groups bigint[];
	ids text[];
BEGIN
	IF num_nonnulls((f).country, (f).city, (f).group_urlname, (f).topic) > 0 THEN
		of_groups := ARRAY(
			SELECT g.id FROM (
				SELECT a.group_id AS id FROM turnout.groups AS a
				WHERE (f).group_id IS NOT NULL AND a.group_id = (f).group_id
				AND turnout.fits_group(a, f)
				UNION ALL
				SELECT a.group_id FROM turnout.groups AS a
				WHERE (f).group_id IS NULL AND (f).group_urlname IS NOT NULL
				AND left(a.urlname, 200) = left((f).group_urlname, 200)
				AND turnout.fits_group(a, f)
				UNION ALL
				SELECT a.group_id FROM turnout.groups AS a
				WHERE (f).group_id IS NULL AND (f).group_urlname IS NULL AND (f).city IS NOT NULL
				AND turnout.fold_key(a.city) = left((f).city, 200)
				AND turnout.fits_group(a, f)
				UNION ALL
				SELECT a.group_id FROM turnout.group_topics AS t
				JOIN turnout.groups AS a ON a.group_id = t.group_id
				WHERE (f).group_id IS NULL AND (f).group_urlname IS NULL AND (f).city IS NULL
				AND t.urlkey = (f).topic
				AND turnout.fits_group(a, f)
				UNION ALL
				SELECT a.group_id FROM turnout.groups AS a
				WHERE (f).group_id IS NULL AND (f).group_urlname IS NULL AND (f).city IS NULL
				AND (f).topic IS NULL AND turnout.fold_key(a.country) = left((f).country, 200)
				AND turnout.fits_group(a, f)) AS g
			WHERE (f).topic IS NULL OR EXISTS (SELECT FROM turnout.group_topics AS t
				WHERE t.urlkey = (f).topic AND t.group_id = g.id)
			LIMIT at_most / 8 + 2);
	ELSIF (f).group_id IS NOT NULL THEN
		of_groups := ARRAY[(f).group_id];
	END IF;
	IF of_groups IS NOT NULL THEN
		-- The groups of a filter hold some ten events each.
		IF cardinality(of_groups) > at_most / 8 + 1 THEN
			RETURN NULL;
		END IF;
		ids := ARRAY(
			SELECT e.event_id FROM unnest(of_groups) AS g (id)
			JOIN turnout.events AS e ON e.group_id = g.id
			WHERE turnout.fits_start(e.starts_ms, f) LIMIT at_most + 1);
	ELSIF (f).starts = 'upcoming' THEN
		ids := ARRAY(
			SELECT e.event_id FROM turnout.events AS e
			WHERE e.starts_ms >= (f).now_ms LIMIT at_most + 1);
	ELSIF (f).starts = 'week' THEN
		ids := ARRAY(
			SELECT e.event_id FROM turnout.events AS e
			WHERE e.starts_ms >= (f).now_ms AND e.starts_ms < (f).now_ms + 604800000
			LIMIT at_most + 1);
	ELSE
		ids := ARRAY(
			SELECT e.event_id FROM turnout.events AS e
			WHERE e.starts_ms < (f).now_ms LIMIT at_most + 1);
	END IF;
	RETURN CASE WHEN cardinality(ids) <= at_most THEN ids END;
END
$$;
COMMENT ON FUNCTION filter_events(event_filter, integer) IS
	'The events that fit a filter that is given, each once; NULL where they are more than at_most, or seem to be.';

-- A trigger needs no right to run; with one, it could be put on any table.
REVOKE ALL ON FUNCTION groups_topics(), groups_topics_truncate() FROM PUBLIC;

DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY ARRAY['fold(text)', 'fold_key(text)', 'topic_keys(jsonb)', 'event_filter(text, text, bigint, text, text, text, bigint)',
		'event_filter_given(event_filter)', 'fits_group(groups, event_filter)',
		'fits_start(bigint, event_filter)', 'fitting_events(text[], bigint[], bigint[], event_filter)',
		'filter_events(event_filter, integer)'] LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO turnout_ingest, turnout_web', name);
	END LOOP;
END
$$;
