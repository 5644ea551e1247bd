/*
 * A difference between what is stored and what should be, as audit and
 * recount tell it: three JSON values, which row, expected and found (NULL =
 * no row), as a line for people or as one object.
 */
#ifndef TURNOUT_INGEST_DIFFERENCE_H
#define TURNOUT_INGEST_DIFFERENCE_H

/* "event_id 7, day 2017-03-19" of {"event_id": "7", "day": "2017-03-19"} */
#define DIFFERENCE_WORDS(json)                                                 \
	"coalesce((SELECT string_agg(key || ' ' || coalesce(value, 'none'),"   \
	" ', ') FROM json_each_text(" json ")), 'nothing')"

#define DIFFERENCE_TEXT(row, expected, found)                                  \
	DIFFERENCE_WORDS(row)                                                  \
	" || ': expected ' || " DIFFERENCE_WORDS(                              \
	    expected) " || '; found ' || " DIFFERENCE_WORDS(found)

#define DIFFERENCE_JSON(row, expected, found)                                  \
	"json_build_object('row', " row ", 'expected', " expected              \
	", 'found', " found ")"

/* Those of a day, as the value of one of these; its hours where these differ
 * from the other's. */
#define DIFFERENCE_DAY(rsvps, headcount, hours, others)                        \
	"CASE WHEN " rsvps                                                     \
	" IS NOT NULL THEN json_strip_nulls(json_build_object('rsvps'," rsvps  \
	", 'headcount', " headcount ", 'hours', CASE WHEN " hours              \
	" IS DISTINCT FROM " others " THEN " hours " END)) END"

/* Those of an event, and from when to when it has days. */
#define DIFFERENCE_EVENT(rsvps, headcount, first, last)                        \
	"CASE WHEN " rsvps                                                     \
	" IS NOT NULL THEN json_build_object('rsvps', " rsvps                  \
	", 'headcount', " headcount ", 'first_day', " first                    \
	", 'last_day', " last ") END"

void difference_print(const char *indent, const char *line);

#endif
