/* Groups, venues and members and how they are loaded; see thing.h. */
#include "config.h"

#include <string.h>

#include "fcgi/fill.h"
#include "fcgi/request.h"
#include "fcgi/thing.h"

/* After the columns of the answer; the same of every kind. */
enum column {
	COLUMN_ID = ANSWER_COLUMNS,
	COLUMN_NAME,
	COLUMN_URLNAME,
	COLUMN_CITY,
	COLUMN_STATE,
	COLUMN_COUNTRY,
	COLUMN_LAT,
	COLUMN_LON,
	COLUMN_TOPICS,
	COLUMN_PHOTO,
	COLUMN_EVENT, /* event_id, then the columns of an event */
};

/* clang-format off */
/* The columns of an event, those of its group and venue left NULL. */
#define BUSIEST_COLUMNS \
	", b.event_id, b.name, b.url, b.starts_ms, b.rsvps, b.headcount" \
	", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
#define BUSIEST_SQL(id) \
	" LEFT JOIN LATERAL (SELECT e.event_id, e.name, e.url, e.starts_ms," \
	" c.rsvps, c.headcount FROM turnout.events AS e" \
	" JOIN turnout.event_counts AS c ON c.event_id = e.event_id" \
	" WHERE e." id " = t." id \
	" ORDER BY c.rsvps DESC, e.event_id LIMIT 10) AS b ON true" \
	" ORDER BY b.rsvps DESC, b.event_id"

static const char *const thing_sql[] = {
	[THING_GROUP] = "SELECT a.*, t.group_id, t.name, t.urlname, t.city,"
	    " t.state, t.country, t.lat, t.lon, t.topics, NULL"
	    BUSIEST_COLUMNS " FROM " ANSWER_SQL " AS a"
	    " LEFT JOIN turnout.groups AS t ON t.group_id = $1::bigint"
	    BUSIEST_SQL("group_id"),
	[THING_VENUE] = "SELECT a.*, t.venue_id, t.name, NULL, NULL,"
	    " NULL, NULL, t.lat, t.lon, NULL, NULL"
	    BUSIEST_COLUMNS " FROM " ANSWER_SQL " AS a"
	    " LEFT JOIN turnout.venues AS t ON t.venue_id = $1::bigint"
	    BUSIEST_SQL("venue_id"),
	[THING_MEMBER] = "SELECT a.*, t.member_id, t.name, NULL, NULL,"
	    " NULL, NULL, NULL, NULL, NULL, t.photo"
	    " FROM " ANSWER_SQL " AS a"
	    " LEFT JOIN turnout.members AS t ON t.member_id = $1::bigint",
};
/* clang-format on */

/* Reads the answer and, where t->kind says what it is, the thing of the first
 * row: THING_COLUMNS behind those of the answer. */
void
thing_from_row(struct thing *t, const PGresult *res)
{
	answer_from_row(&t->answer, res);
	t->id = details_number(res, 0, COLUMN_ID);
	t->name = details_text(res, 0, COLUMN_NAME);
	t->urlname = details_text(res, 0, COLUMN_URLNAME);
	t->city = details_text(res, 0, COLUMN_CITY);
	t->state = details_text(res, 0, COLUMN_STATE);
	t->country = details_text(res, 0, COLUMN_COUNTRY);
	t->located = details_place(res, 0, COLUMN_LAT, &t->lat, &t->lon);
	t->topics = details_text(res, 0, COLUMN_TOPICS);
	t->photo = details_text(res, 0, COLUMN_PHOTO);
}

static void
from_rows(struct thing *t)
{
	const PGresult *res = t->res;
	int row, rows = PQntuples(res);

	thing_from_row(t, res);
	if (t->kind == THING_MEMBER || PQgetisnull(res, 0, COLUMN_EVENT))
		return;
	for (row = 0; row < rows && row < THING_EVENTS_MAX; row++)
		details_from_row(&t->events[t->n++], res, row, COLUMN_EVENT);
}

/* Loads a thing.  FILL_OK: thing_free() it; else *t is as it was. */
enum fill
thing_load(struct thing *t, enum thing_kind kind, int64_t id, struct db *db,
    int timeout_ms)
{
	struct thing fresh = { .kind = kind };
	enum fill rc = FILL_BUG;
	struct args args = { 0 };

	args_number(&args, id);
	fresh.res = answer_query(db, thing_sql[kind], &args, timeout_ms, &rc);
	if (fresh.res == NULL)
		return rc;
	if (PQgetisnull(fresh.res, 0, COLUMN_ID)) {
		PQclear(fresh.res);
		return FILL_NOT_FOUND;
	}
	from_rows(&fresh);
	*t = fresh;
	return FILL_OK;
}

void
thing_free(struct thing *t)
{
	PQclear(t->res);
	memset(t, 0, sizeof(*t));
}

static enum fill
fill(enum thing_kind kind, struct response *out, const struct request *r,
    struct db *db, int timeout_ms)
{
	struct thing t = { .kind = kind };
	enum fill rc;

	rc = thing_load(&t, kind, r->number, db, timeout_ms);
	if (rc != FILL_OK)
		return rc;
	thing_json(out, &t);
	thing_free(&t);
	return FILL_OK;
}

/* Fills /api/groups/{id}. */
enum fill
group_fill_json(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	return fill(THING_GROUP, out, r, db, timeout_ms);
}

/* Fills /api/venues/{id}. */
enum fill
venue_fill_json(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	return fill(THING_VENUE, out, r, db, timeout_ms);
}

/* Fills /api/members/{id}. */
enum fill
member_fill_json(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	return fill(THING_MEMBER, out, r, db, timeout_ms);
}
