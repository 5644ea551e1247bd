/* One event and how it is loaded; see event.h. */
#include "config.h"

#include <string.h>

#include "fcgi/event.h"
#include "fcgi/fill.h"
#include "fcgi/request.h"

/* Details are stored with the first RSVP that names an event, yes or no. */
/* clang-format off */
static const char event_sql[] =
    "SELECT a.*, e.event_id, " DETAILS_SQL
    " FROM " ANSWER_SQL " AS a"
    " LEFT JOIN turnout.events AS e ON e.event_id = $1::text"
    " LEFT JOIN turnout.event_counts AS c ON c.event_id = e.event_id"
    DETAILS_JOINS;
/* clang-format on */

/* Loads an event.  FILL_OK: event_free() it; else *ev is as it was. */
enum fill
event_load(
    struct event *ev, const char *event_id, struct db *db, int timeout_ms)
{
	struct event fresh = { .res = NULL };
	enum fill rc = FILL_BUG;
	struct args args = { 0 };

	args_text(&args, event_id);
	fresh.res = answer_query(db, event_sql, &args, timeout_ms, &rc);
	if (fresh.res == NULL)
		return rc;
	if (PQgetisnull(fresh.res, 0, ANSWER_COLUMNS)) {
		PQclear(fresh.res);
		return FILL_NOT_FOUND;
	}
	answer_from_row(&fresh.answer, fresh.res);
	details_from_row(&fresh.details, fresh.res, 0, ANSWER_COLUMNS);
	*ev = fresh;
	return FILL_OK;
}

void
event_free(struct event *ev)
{
	PQclear(ev->res);
	memset(ev, 0, sizeof(*ev));
}

/* Fills /api/events/{id}. */
enum fill
event_fill_json(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	struct event ev = { .res = NULL };
	enum fill rc;

	if ((rc = event_load(&ev, r->id, db, timeout_ms)) != FILL_OK)
		return rc;
	event_json(out, &ev);
	event_free(&ev);
	return FILL_OK;
}
