/*
 * The checks of turnout-ingest audit; all run in one snapshot.  That the days
 * of an event add up to its count is no check of its own: both equal the rows.
 */
#include "config.h"

#include "ingest/audit.h"
#include "ingest/difference.h"
#include "lib/attr.h"

#define LINES(row, expected, found)                                            \
	.text = DIFFERENCE_TEXT(row, expected, found),                         \
	.json = DIFFERENCE_JSON(row, expected, found)

/* clang-format off */
const struct audit_check audit_checks[] = {
	{ .name = "counts",
	  .looked = "SELECT count(*) FROM turnout.event_counts",
	  .wrong = "SELECT event_id, r.n AS n, r.people, r.first, r.last,"
	    " c.rsvps, c.headcount, c.first_day, c.last_day"
	    " FROM (SELECT event_id, count(*) AS n,"
	    " sum(1 + coalesce(guests, 0)) AS people,"
	    " turnout.mtime_day(min(mtime_ms)) AS first,"
	    " turnout.mtime_day(max(mtime_ms)) AS last FROM turnout.rsvps"
	    " WHERE response = 'yes' GROUP BY event_id) AS r"
	    " FULL JOIN turnout.event_counts AS c USING (event_id)"
	    " WHERE r.n IS DISTINCT FROM c.rsvps"
	    " OR r.people IS DISTINCT FROM c.headcount"
	    /* A day outside of them would hide the event from the boards. */
	    " OR r.first IS DISTINCT FROM c.first_day"
	    " OR r.last IS DISTINCT FROM c.last_day",
	  .order = "event_id",
	  LINES("json_build_object('event_id', event_id)",
	    DIFFERENCE_EVENT("n", "people", "first", "last"),
	    DIFFERENCE_EVENT("rsvps", "headcount", "first_day", "last_day")) },

	{ .name = "days",
	  .looked = "SELECT count(*) FROM turnout.event_days",
	  .wrong = "SELECT * FROM (SELECT event_id, day, r.n AS n, r.people,"
	    " CASE WHEN r.people > 127"
	    " THEN turnout.day_hours(event_id, day) END AS totals,"
	    " d.rsvps, d.headcount, d.hours FROM (SELECT event_id,"
	    " turnout.mtime_day(mtime_ms) AS day, count(*) AS n,"
	    " sum(1 + coalesce(guests, 0)) AS people FROM turnout.rsvps"
	    " WHERE response = 'yes' GROUP BY 1, 2) AS r"
	    " FULL JOIN turnout.event_days AS d USING (event_id, day)) AS d"
	    " WHERE n IS DISTINCT FROM rsvps"
	    " OR people IS DISTINCT FROM headcount"
	    " OR totals IS DISTINCT FROM hours",
	  .order = "event_id, day",
	  LINES("json_build_object('event_id', event_id, 'day', day)",
	    DIFFERENCE_DAY("n", "people", "totals", "hours"),
	    DIFFERENCE_DAY("rsvps", "headcount", "hours", "totals")) },

	/* A bound too low would hide an event from the boards. */
	{ .name = "bounds",
	  .looked = "SELECT (SELECT count(*) FROM turnout.event_counts)"
	    " + (SELECT count(*) FROM turnout.event_days)",
	  .wrong = "SELECT * FROM (SELECT event_id, NULL::date AS day, rsvps,"
	    " headcount, bound, turnout.count_bound(headcount) AS due"
	    " FROM turnout.event_counts UNION ALL"
	    " SELECT event_id, day, rsvps, headcount, bound,"
	    " turnout.day_bound(headcount) FROM turnout.event_days) AS b"
	    " WHERE rsvps < 1 OR headcount < rsvps OR bound < headcount"
	    " OR bound <> due",
	  .order = "event_id, day",
	  LINES("json_strip_nulls(json_build_object('event_id', event_id,"
	    " 'day', day))",
	    "json_build_object('rsvps', '1 or more', 'headcount',"
	    " 'rsvps or more', 'bound', due)",
	    "json_build_object('rsvps', rsvps, 'headcount', headcount,"
	    " 'bound', bound)") },

	{ .name = "rsvps",
	  .looked = "SELECT count(*) FROM turnout.rsvps",
	  .wrong = "SELECT r.rsvp_id, event_id, r.mtime_ms,"
	    " (e.src_ts IS NOT NULL)::int AS details"
	    " FROM turnout.rsvps AS r"
	    " LEFT JOIN turnout.events AS e USING (event_id)"
	    " WHERE e.src_ts IS NULL OR r.mtime_ms < 0",
	  .order = "rsvp_id",
	  LINES("json_build_object('rsvp_id', rsvp_id, 'event_id', event_id)",
	    "json_build_object('mtime_ms', '0 or more', 'events', 1)",
	    "json_build_object('mtime_ms', mtime_ms, 'events', details)") },

	{ .name = "offsets",
	  .looked = "SELECT count(*) FROM turnout.ingest_offsets",
	  .wrong = "SELECT topic, part, next_offset, last_offset"
	    " FROM turnout.ingest_offsets"
	    " WHERE next_offset < 0 OR last_offset < 0"
	    " OR last_offset >= next_offset",
	  .order = "topic, part",
	  LINES("json_build_object('topic', topic, 'part', part)",
	    "json_build_object('next_offset', '0 or more', 'last_offset',"
	    " 'below next_offset')",
	    "json_build_object('next_offset', next_offset, 'last_offset',"
	    " last_offset)") },

	/* An offset that was set back leaves those that come again. */
	{ .name = "dead_letters",
	  .looked = "SELECT count(*) FROM turnout.dead_letters",
	  .wrong = "SELECT d.dead_letter_id, topic, part, d.record_offset,"
	    " o.next_offset FROM turnout.dead_letters AS d"
	    " JOIN turnout.ingest_offsets AS o USING (topic, part)"
	    " WHERE d.record_offset >= o.next_offset AND NOT EXISTS ("
	    "SELECT FROM turnout.offset_changes AS c WHERE c.topic = o.topic"
	    " AND c.part = o.part AND c.changed_at >= d.received_at)",
	  .order = "dead_letter_id",
	  LINES("json_build_object('dead_letter_id', dead_letter_id, 'topic',"
	    " topic, 'part', part)",
	    "json_build_object('record_offset', 'below ' || next_offset)",
	    "json_build_object('record_offset', record_offset)") },

	/* One that the operator set is in offset_changes. */
	{ .name = "offsets_back",
	  .looked = "SELECT json_array_length($1::json)",
	  .wrong = "SELECT topic, part, was.next_offset AS was, o.next_offset"
	    " FROM json_to_recordset($1::json) AS was"
	    " (topic text, part int, next_offset bigint, change bigint)"
	    " LEFT JOIN turnout.ingest_offsets AS o USING (topic, part)"
	    " WHERE coalesce(o.next_offset, -1) < was.next_offset"
	    " AND NOT EXISTS (SELECT FROM turnout.offset_changes AS c"
	    " WHERE c.topic = was.topic AND c.part = was.part"
	    " AND c.change_id > was.change)",
	  .order = "topic, part",
	  LINES("json_build_object('topic', topic, 'part', part)",
	    "json_build_object('next_offset', was || ' or more')",
	    "json_build_object('next_offset', next_offset)"),
	  .memory = true },
};

/* What a round keeps for the next: how far each partition is. */
const char audit_keep[] =
    "SELECT coalesce(json_agg(json_build_object('topic', o.topic,"
    " 'part', o.part, 'next_offset', o.next_offset, 'change',"
    " (SELECT coalesce(max(c.change_id), 0) FROM turnout.offset_changes AS c"
    " WHERE c.topic = o.topic AND c.part = o.part))), '[]')::text"
    " FROM turnout.ingest_offsets AS o";
/* clang-format on */

const size_t audit_nchecks = NITEMS(audit_checks);
