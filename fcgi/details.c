/* An event as it is shown; see details.h. */
#include "config.h"

#include <stdlib.h>

#include "fcgi/details.h"
#include "fcgi/html.h"
#include "fcgi/json.h"
#include "lib/buf.h"
#include "lib/clock.h"

/* Borrows a text from the result; NULL for SQL NULL. */
const char *
details_text(const PGresult *res, int row, int column)
{
	return PQgetisnull(res, row, column) ? NULL
					     : PQgetvalue(res, row, column);
}

/* A number that is never negative; DETAILS_ABSENT for SQL NULL. */
int64_t
details_number(const PGresult *res, int row, int column)
{
	return PQgetisnull(res, row, column)
	    ? DETAILS_ABSENT
	    : strtoll(PQgetvalue(res, row, column), NULL, 10);
}

/* Reads lat and the column after it, lon; false when one is absent. */
bool
details_place(
    const PGresult *res, int row, int column, double *lat, double *lon)
{
	if (PQgetisnull(res, row, column) || PQgetisnull(res, row, column + 1))
		return false;
	*lat = strtod(PQgetvalue(res, row, column), NULL);
	*lon = strtod(PQgetvalue(res, row, column + 1), NULL);
	return true;
}

/* Reads an event_id at column and the columns of DETAILS_SQL after it. */
void
details_from_row(
    struct details_event *ev, const PGresult *res, int row, int column)
{
	struct details_group *g = &ev->group;
	struct details_venue *v = &ev->venue;

	ev->event_id = details_text(res, row, column);
	ev->name = details_text(res, row, column + 1);
	ev->url = details_text(res, row, column + 2);
	ev->starts_ms = details_number(res, row, column + 3);
	if (ev->starts_ms < 0 || ev->starts_ms > CLOCK_MAX_MS)
		ev->starts_ms = DETAILS_ABSENT;
	ev->rsvps = details_number(res, row, column + 4);
	ev->headcount = details_number(res, row, column + 5);
	g->group_id = details_number(res, row, column + 6);
	g->name = details_text(res, row, column + 7);
	g->urlname = details_text(res, row, column + 8);
	g->city = details_text(res, row, column + 9);
	g->state = details_text(res, row, column + 10);
	g->country = details_text(res, row, column + 11);
	v->venue_id = details_number(res, row, column + 12);
	v->name = details_text(res, row, column + 13);
	v->located = details_place(res, row, column + 14, &v->lat, &v->lon);
}

/* Adds the members of an event but its group and venue, without braces. */
void
details_json_summary(struct buf *b, const struct details_event *ev)
{
	char iso[CLOCK_ISO_LEN];

	buf_adds(b, "\"event_id\":");
	json_cstring(b, ev->event_id);
	json_member(b, "name", ev->name);
	json_member(b, "url", ev->url);
	json_member(b, "starts_at",
	    ev->starts_ms == DETAILS_ABSENT ? NULL
					    : clock_iso(iso, ev->starts_ms));
	buf_adds(b, ",\"rsvps\":");
	json_int(b, ev->rsvps);
	buf_adds(b, ",\"headcount\":");
	json_int(b, ev->headcount);
}

/* Adds all members of an event, without braces. */
void
details_json(struct buf *b, const struct details_event *ev)
{
	const struct details_group *g = &ev->group;
	const struct details_venue *v = &ev->venue;

	details_json_summary(b, ev);
	buf_adds(b, ",\"group\":");
	if (g->group_id == DETAILS_ABSENT) {
		buf_adds(b, "null");
	} else {
		buf_adds(b, "{\"group_id\":");
		json_int(b, g->group_id);
		json_member(b, "name", g->name);
		json_member(b, "urlname", g->urlname);
		json_member(b, "city", g->city);
		json_member(b, "state", g->state);
		json_member(b, "country", g->country);
		buf_addc(b, '}');
	}
	buf_adds(b, ",\"venue\":");
	if (v->venue_id == DETAILS_ABSENT) {
		buf_adds(b, "null");
	} else {
		buf_adds(b, "{\"venue_id\":");
		json_int(b, v->venue_id);
		json_member(b, "name", v->name);
		buf_adds(b, ",\"lat\":");
		if (v->located)
			json_double(b, v->lat);
		else
			buf_adds(b, "null");
		buf_adds(b, ",\"lon\":");
		if (v->located)
			json_double(b, v->lon);
		else
			buf_adds(b, "null");
		buf_addc(b, '}');
	}
}

/* Adds city, state and country of a group, as far as they are known. */
void
details_html_place(struct buf *b, const struct details_group *g)
{
	const char *parts[] = { g->city, g->state, g->country };
	const char *comma = "";
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (html_blank(parts[i]))
			continue;
		buf_adds(b, comma);
		html_name(b, "span", parts[i], "");
		comma = ", ";
	}
}
