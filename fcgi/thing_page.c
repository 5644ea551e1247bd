/*
 * The pages of a group and of a venue: what is on there.  One statement,
 * rendered without I/O.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "fcgi/fill.h"
#include "fcgi/request.h"
#include "fcgi/thing_page.h"

/* clang-format off */
#define PAGE_SQL(columns, from, on) \
	"WITH a AS MATERIALIZED (SELECT x.* FROM " ANSWER_SQL " AS x)" \
	" SELECT a.*, " columns ", o.part, e.event_id, " DETAILS_SQL \
	" FROM a LEFT JOIN " from " = $1::bigint" \
	" LEFT JOIN LATERAL turnout.events_on(" on ", a.as_of_ms," \
	" $2::integer) AS o ON true" \
	" LEFT JOIN turnout.events AS e ON e.event_id = o.event_id" \
	" LEFT JOIN turnout.event_counts AS c ON c.event_id = e.event_id" \
	DETAILS_JOINS " ORDER BY o.part, o.place"

static const char *const page_sql[] = {
	[THING_GROUP] = PAGE_SQL("t.group_id, t.name, t.urlname, t.city,"
	    " t.state, t.country, t.lat, t.lon, t.topics, NULL",
	    "turnout.groups AS t ON t.group_id", "t.group_id, NULL"),
	[THING_VENUE] = PAGE_SQL("t.venue_id, t.name, NULL, NULL,"
	    " NULL, NULL, t.lat, t.lon, NULL, NULL",
	    "turnout.venues AS t ON t.venue_id", "NULL, t.venue_id"),
};
/* clang-format on */

#define COLUMN_PART (ANSWER_COLUMNS + THING_COLUMNS)

static enum fill
load(struct thing_page *p, enum thing_kind kind, int64_t id, struct db *db,
    int timeout_ms)
{
	enum fill rc = FILL_BUG;
	struct args args = { 0 };
	PGresult *res;
	int row;

	args_number(&args, id);
	args_number(&args, ON_MAX + 1);
	if ((res = answer_query(db, page_sql[kind], &args, timeout_ms, &rc)) ==
	    NULL)
		return rc;
	if (PQgetisnull(res, 0, ANSWER_COLUMNS)) {
		PQclear(res);
		return FILL_NOT_FOUND;
	}
	memset(p, 0, sizeof(*p));
	p->thing.kind = kind;
	p->thing.res = res;
	thing_from_row(&p->thing, res);
	for (row = 0; row < PQntuples(res); row++)
		on_add_row(&p->on, ON_MAX, res, row, COLUMN_PART);
	return FILL_OK;
}

static enum fill
fill(enum thing_kind kind, struct response *out, const struct request *r,
    struct db *db, int timeout_ms)
{
	struct thing_page p;
	enum fill rc;

	if ((rc = load(&p, kind, r->number, db, timeout_ms)) != FILL_OK)
		return rc;
	thing_html(out, &p);
	thing_free(&p.thing);
	return FILL_OK;
}

/* Fills /groups/{id}. */
enum fill
group_fill_html(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	return fill(THING_GROUP, out, r, db, timeout_ms);
}

/* Fills /venues/{id}. */
enum fill
venue_fill_html(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	return fill(THING_VENUE, out, r, db, timeout_ms);
}
