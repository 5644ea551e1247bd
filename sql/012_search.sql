-- Search, and what the form's choices are.

-- Combining marks go after decomposition: "Évry" is found by "evry". ASCII,
-- which most names are, has nothing to decompose.
CREATE FUNCTION search_key(name text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN octet_length(name) = length(name) THEN left(lower(name COLLATE "C"), 1000)
	ELSE regexp_replace(lower(normalize(left(name, 1000), NFKD) COLLATE "und-x-icu") COLLATE "C",
		'[\u0300-\u036f]+', '', 'g') END;
COMMENT ON FUNCTION search_key(text) IS
	'The first 1000 characters of a name without accents, in lower case, compatible forms made one (Unicode NFKD).';

CREATE FUNCTION search_words(name text) RETURNS tsvector
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector('pg_catalog.simple'::regconfig, turnout.search_key(name));
COMMENT ON FUNCTION search_words(text) IS 'The words of a name, as search compares them.';

-- Details are written once for most events; what is found must be looked at
-- again anyway, so the index keeps no more than words.
CREATE INDEX events_words ON events USING gin (search_words(name));
CREATE INDEX groups_words ON groups USING gin (search_words(coalesce(name, '') || ' ' || coalesce(city, '')));

CREATE FUNCTION search_query(q text, operator text) RETURNS tsquery
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT coalesce(string_agg(quote_literal(w.word) || ':*', operator), '')::tsquery
	FROM (
		SELECT l.word FROM unnest(turnout.search_words(left(q, 200))) AS l (word, places, weights)
		ORDER BY l.places[1] LIMIT 8) AS w
$$;
COMMENT ON FUNCTION search_query(text, text) IS
	'The first 8 words of q, each as a prefix, joined by operator (''&'' or ''|''). Empty where q has no words.';

/*
 * First the events whose own name has all the words, then those of groups
 * that have all of them in name or city, then those that need both. Each set
 * is cut: a search that finds thousands is one to be made narrower.
 */
CREATE FUNCTION search_events(q text, at_most integer)
	RETURNS TABLE (event_id text, rsvps bigint, headcount bigint)
	LANGUAGE plpgsql STABLE
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
	all_words constant tsquery := turnout.search_query(q, '&');
	any_word constant tsquery := turnout.search_query(q, '|');
BEGIN
	IF coalesce(at_most NOT BETWEEN 1 AND 100, true) THEN
		RAISE EXCEPTION 'at_most must be from 1 to 100, not %', at_most USING ERRCODE = 'invalid_parameter_value';
	ELSIF numnode(all_words) = 0 THEN
		RETURN;
	END IF;
	RETURN QUERY
	WITH named AS (
		SELECT e.event_id FROM turnout.events AS e
		WHERE turnout.search_words(e.name) @@ all_words LIMIT 2000
	), near AS MATERIALIZED (
		SELECT g.group_id, turnout.search_words(coalesce(g.name, '') || ' ' || coalesce(g.city, '')) AS words
		FROM turnout.groups AS g
		WHERE turnout.search_words(coalesce(g.name, '') || ' ' || coalesce(g.city, '')) @@ any_word LIMIT 1000
	), held AS (
		SELECT e.event_id FROM (
			SELECT g.group_id FROM turnout.groups AS g
			WHERE turnout.search_words(coalesce(g.name, '') || ' ' || coalesce(g.city, '')) @@ all_words
			LIMIT 200) AS g
		CROSS JOIN LATERAL (
			SELECT e.event_id FROM turnout.events AS e WHERE e.group_id = g.group_id LIMIT 50) AS e
		LIMIT 2000
	), both_of AS (
		SELECT e.event_id FROM near AS g
		CROSS JOIN LATERAL (
			SELECT e.event_id FROM turnout.events AS e WHERE e.group_id = g.group_id
			AND NOT g.words @@ all_words AND g.words || turnout.search_words(e.name) @@ all_words LIMIT 50) AS e
		WHERE numnode(all_words) > 1
		LIMIT 500
	), found AS (
		SELECT n.event_id FROM named AS n UNION SELECT h.event_id FROM held AS h UNION SELECT b.event_id FROM both_of AS b
	)
	SELECT f.event_id, coalesce(c.rsvps, 0), coalesce(c.headcount, 0)
	FROM found AS f LEFT JOIN turnout.event_counts AS c ON c.event_id = f.event_id
	ORDER BY 2 DESC, 1 LIMIT at_most;
END
$$;
COMMENT ON FUNCTION search_events(text, integer) IS
	'Events that have every word of q (each the beginning of a word; case and accents do not matter; the first 200 characters and 8 words) in their name, or in their group''s name or city; most RSVPs first, ties by event_id. at_most 1 to 100. Where thousands match, only some of them are ranked. No words, no rows. SQLSTATE 22023 for another at_most.';

CREATE FUNCTION topics(at_most integer)
	RETURNS TABLE (urlkey text, name text, groups bigint)
	LANGUAGE sql STABLE
AS $$
	SELECT c.urlkey, n.name, c.groups
	FROM (
		SELECT t.urlkey, count(*) AS groups FROM turnout.group_topics AS t
		GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT at_most) AS c
	CROSS JOIN LATERAL (
		SELECT (SELECT k.topic ->> 'topic_name' FROM jsonb_array_elements(g.topics) AS k (topic)
			WHERE k.topic ->> 'urlkey' = c.urlkey LIMIT 1) AS name
		FROM turnout.group_topics AS t JOIN turnout.groups AS g ON g.group_id = t.group_id
		WHERE t.urlkey = c.urlkey ORDER BY t.group_id DESC LIMIT 1) AS n
	ORDER BY 3 DESC, 1
$$;
COMMENT ON FUNCTION topics(integer) IS
	'The topics of most groups, with how many: urlkey, its name as the group of the greatest id has it, groups; ties by urlkey. Reads group_topics whole: to be cached.';

-- Spellings are counted first: fold() of each of them once, not of each group.
CREATE FUNCTION countries(at_most integer) RETURNS TABLE (country text, groups bigint)
	LANGUAGE sql STABLE
AS $$
	WITH spelled AS (
		SELECT g.country, count(*) AS groups FROM turnout.groups AS g WHERE g.country IS NOT NULL GROUP BY 1)
	SELECT turnout.fold(s.country), sum(s.groups)::bigint FROM spelled AS s
	GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT at_most
$$;
COMMENT ON FUNCTION countries(integer) IS
	'The countries of most groups, with how many, folded as filters compare them; ties by name. Reads groups whole: to be cached.';

CREATE FUNCTION cities(at_most integer) RETURNS TABLE (city text, country text, groups bigint)
	LANGUAGE sql STABLE
AS $$
	WITH spelled AS (
		SELECT g.city, g.country, count(*) AS groups FROM turnout.groups AS g WHERE g.city IS NOT NULL GROUP BY 1, 2)
	SELECT min(s.city COLLATE "C"), turnout.fold(s.country), sum(s.groups)::bigint FROM spelled AS s
	GROUP BY turnout.fold(s.city), 2 ORDER BY 3 DESC, turnout.fold(s.city), 2 LIMIT at_most
$$;
COMMENT ON FUNCTION cities(integer) IS
	'The cities of most groups, with how many: one spelling of the name, the folded country (NULL: not known), groups; ties by name. Reads groups whole: to be cached.';

DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc AS p WHERE p.pronamespace = 'turnout'::regnamespace
		AND p.proname IN ('search_key', 'search_words', 'search_query', 'search_events', 'topics', 'countries',
		'cities') LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
		EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO turnout_ingest, turnout_web', f);
	END LOOP;
END
$$;
