/* The API of the Go original and how it is loaded; see v1.h. */
#include "config.h"

#include <string.h>

#include "fcgi/details.h"
#include "fcgi/fill.h"
#include "fcgi/request.h"
#include "fcgi/v1.h"

/* clang-format off */
static const char info_sql[] =
    "SELECT a.*, e.event_id, g.group_id, g.name, g.lat, g.lon, g.urlname,"
    " g.city, g.state, g.country, g.topics, v.venue_id, v.name, v.lat, v.lon"
    " FROM " ANSWER_SQL " AS a"
    " LEFT JOIN turnout.events AS e ON e.event_id = $1::text"
    DETAILS_JOINS;
/* clang-format on */

enum column {
	COLUMN_EVENT_ID = ANSWER_COLUMNS,
	COLUMN_GROUP, /* id, name, lat, lon */
	COLUMN_URLNAME = COLUMN_GROUP + 4,
	COLUMN_CITY,
	COLUMN_STATE,
	COLUMN_COUNTRY,
	COLUMN_TOPICS,
	COLUMN_VENUE, /* id, name, lat, lon */
};

static void
place_from_row(struct v1_place *place, const PGresult *res, int column)
{
	place->id = details_number(res, 0, column);
	place->name = details_text(res, 0, column + 1);
	place->located = details_place(
	    res, 0, column + 2, &place->lat, &place->lon);
}

/* Fills /api/v1/events/topk: the board of a day, by RSVPs. */
enum fill
v1_topk_fill(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	struct topk t = { 0 };
	enum fill rc;

	rc = topk_load(&t, &r->topk, TOPK_WANT_BOARD, db, timeout_ms);
	if (rc != FILL_OK)
		return rc;
	v1_topk_json(out, &t);
	topk_free(&t);
	return FILL_OK;
}

/* Fills /api/v1/events/info: group and venue of an event. */
enum fill
v1_info_fill(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	struct v1_info info = { .res = NULL };
	enum fill rc = FILL_BUG;
	struct args args = { 0 };

	args_text(&args, r->id);
	info.res = answer_query(db, info_sql, &args, timeout_ms, &rc);
	if (info.res == NULL)
		return rc;
	rc = FILL_NOT_FOUND;
	if (PQgetisnull(info.res, 0, COLUMN_EVENT_ID))
		goto out;
	answer_from_row(&info.answer, info.res);
	place_from_row(&info.group, info.res, COLUMN_GROUP);
	info.urlname = details_text(info.res, 0, COLUMN_URLNAME);
	info.city = details_text(info.res, 0, COLUMN_CITY);
	info.state = details_text(info.res, 0, COLUMN_STATE);
	info.country = details_text(info.res, 0, COLUMN_COUNTRY);
	info.topics = details_text(info.res, 0, COLUMN_TOPICS);
	place_from_row(&info.venue, info.res, COLUMN_VENUE);
	v1_info_json(out, &info);
	rc = FILL_OK;
out:
	PQclear(info.res);
	return rc;
}
