/* An event's page and how it is loaded; see event_page.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/event_page.h"
#include "fcgi/fill.h"
#include "fcgi/request.h"

/*
 * Rows of several kinds, told by part: 0 the event, 1 its days, 2 its places
 * in windows, 3 its neighbours on the board of all time, from 4 on what else
 * its group holds.  $2 says whether the places are asked for, $3 how long
 * they may take.
 */
enum part {
	PART_EVENT,
	PART_DAYS,
	PART_WINDOWS,
	PART_NEIGHBOURS,
	PART_OTHERS,
};

/* clang-format off */
static const char page_sql[] =
    "WITH a AS MATERIALIZED (SELECT x.* FROM " ANSWER_SQL " AS x),"
    " w AS MATERIALIZED (SELECT e.event_id, e.group_id"
    " FROM turnout.events AS e WHERE e.event_id = $1::text),"
    " parts AS MATERIALIZED ("
    "SELECT 0 AS part, 0::bigint AS place, NULL::bigint AS n1,"
    " NULL::bigint AS n2, NULL::bigint AS n3, NULL::bigint AS n4,"
    " NULL::bigint AS n5, w.event_id FROM w"
    " UNION ALL SELECT 1, -d.at_ms, d.at_ms, d.rsvps, d.headcount, NULL,"
    " NULL, NULL FROM (SELECT (x.day - date '1970-01-01')"
    " * bigint '86400000' AS at_ms, x.rsvps, x.headcount"
    " FROM turnout.event_days AS x WHERE x.event_id = $1::text"
    " ORDER BY x.day DESC LIMIT 401) AS d"
    " UNION ALL SELECT 2, r.window_ms, r.window_ms, r.rank, r.beyond,"
    " r.rsvps, r.headcount, NULL FROM a, w, LATERAL turnout.event_ranks("
    "w.event_id, 'rsvps', a.as_of_ms, $3::integer) AS r WHERE $2::boolean"
    " UNION ALL SELECT 3, n.place, n.rank, NULL, NULL, NULL, NULL, n.event_id"
    " FROM a, w, LATERAL turnout.event_rank(w.event_id, 'rsvps', NULL, NULL,"
    " NULL, NULL, NULL, NULL, NULL, NULL, a.as_of_ms, 3) WITH ORDINALITY"
    " AS n (rank, event_id, rsvps, headcount, place) WHERE $2::boolean"
    " UNION ALL SELECT 4 + o.part, o.place, o.part, NULL, NULL, NULL, NULL,"
    " o.event_id FROM a, w, LATERAL turnout.events_on(w.group_id, NULL,"
    " a.as_of_ms, 8) AS o WHERE o.event_id <> w.event_id)"
    " SELECT a.*, p.part, p.n1, p.n2, p.n3, p.n4, p.n5, p.n1, p.event_id, "
    DETAILS_SQL
    " FROM a LEFT JOIN parts AS p ON true"
    " LEFT JOIN turnout.events AS e ON e.event_id = p.event_id"
    " LEFT JOIN turnout.event_counts AS c ON c.event_id = p.event_id"
    DETAILS_JOINS
    " ORDER BY p.part, p.place";
/* clang-format on */

#define RANKS_MS 100 /* after this no deeper board is tried */

enum column {
	COLUMN_PART = ANSWER_COLUMNS,
	COLUMN_N1,
	COLUMN_N2,
	COLUMN_N3,
	COLUMN_N4,
	COLUMN_N5,
	COLUMN_ON, /* the part of what is on; an event behind it */
	COLUMN_EVENT,
};

/* A number, 0 where there is none. */
static int64_t
number(const PGresult *res, int row, int column)
{
	return PQgetisnull(res, row, column) ? 0
					     : details_number(res, row, column);
}

static void
add_day(struct event_page *p, const PGresult *res, int row)
{
	struct history_point *day;

	if (p->ndays == EVENT_DAYS_MAX) {
		p->days_cut = true;
		return;
	}
	day = &p->days[p->ndays++];
	day->at_ms = number(res, row, COLUMN_N1);
	day->rsvps = number(res, row, COLUMN_N2);
	day->headcount = number(res, row, COLUMN_N3);
}

static void
add_window(struct event_page *p, const PGresult *res, int row)
{
	struct event_window *w;

	if (p->nwindows == EVENT_WINDOWS)
		return;
	w = &p->windows[p->nwindows++];
	w->window_ms = number(res, row, COLUMN_N1);
	w->rank = number(res, row, COLUMN_N2);
	w->beyond = number(res, row, COLUMN_N3);
	w->absent = PQgetisnull(res, row, COLUMN_N4);
	w->rsvps = number(res, row, COLUMN_N4);
	w->headcount = number(res, row, COLUMN_N5);
}

static void
add_neighbour(struct event_page *p, const PGresult *res, int row)
{
	struct rank_entry *entry;

	if (p->nneighbours == 2 * EVENT_AROUND + 1)
		return;
	entry = &p->neighbours[p->nneighbours++];
	entry->rank = (int)number(res, row, COLUMN_N1);
	details_from_row(&entry->event, res, row, COLUMN_EVENT);
}

static void
from_rows(struct event_page *p, const PGresult *res)
{
	int row;

	answer_from_row(&p->event.answer, res);
	for (row = 0; row < PQntuples(res); row++) {
		switch (number(res, row, COLUMN_PART)) {
		case PART_EVENT:
			details_from_row(
			    &p->event.details, res, row, COLUMN_EVENT);
			break;
		case PART_DAYS:
			add_day(p, res, row);
			break;
		case PART_WINDOWS:
			add_window(p, res, row);
			break;
		case PART_NEIGHBOURS:
			add_neighbour(p, res, row);
			break;
		default:
			on_add_row(
			    &p->others, EVENT_OTHERS, res, row, COLUMN_ON);
			break;
		}
	}
}

static enum fill
load(struct event_page *p, const char *event_id, bool ranks, struct db *db,
    int timeout_ms)
{
	enum fill rc = FILL_BUG;
	struct args args = { 0 };
	PGresult *res;

	args_text(&args, event_id);
	args_text(&args, ranks ? "t" : "f");
	args_number(&args, RANKS_MS);
	res = answer_query(db, page_sql, &args, timeout_ms, &rc);
	if (res == NULL)
		return rc;
	if (PQgetisnull(res, 0, COLUMN_PART) ||
	    number(res, 0, COLUMN_PART) != PART_EVENT) {
		PQclear(res);
		return FILL_NOT_FOUND;
	}
	memset(p, 0, sizeof(*p));
	p->event.res = res;
	from_rows(p, res);
	return FILL_OK;
}

/*
 * Loads an event's page; when its places take too long, without them.
 * FILL_OK: event_page_free() it; else *p is as it was.
 */
enum fill
event_page_load(
    struct event_page *p, const char *event_id, struct db *db, int timeout_ms)
{
	enum fill rc;

	rc = load(p, event_id, true, db, timeout_ms);
	if (rc == FILL_SLOW)
		rc = load(p, event_id, false, db, timeout_ms);
	return rc;
}

void
event_page_free(struct event_page *p)
{
	event_free(&p->event);
	memset(p, 0, sizeof(*p));
}

/* Fills /events/{id}. */
enum fill
event_fill_html(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	static struct event_page p; /* large, and there is one request */
	enum fill rc;

	if ((rc = event_page_load(&p, r->id, db, timeout_ms)) != FILL_OK)
		return rc;
	event_page_html(out, &p);
	event_page_free(&p);
	return FILL_OK;
}
