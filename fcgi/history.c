/* An event's counts over time and how they are loaded; see history.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/details.h"
#include "fcgi/fill.h"
#include "fcgi/history.h"
#include "fcgi/request.h"
#include "lib/xalloc.h"

/*
 * Without a range it is that of the event's RSVPs, at most its last 1000
 * steps.  $2 is the step; a week begins on a Monday, the first one that we
 * know on 1970-01-05.
 */
/* clang-format off */
#define SHIFT "CASE $2::bigint WHEN 604800000 THEN 345600000 ELSE 0 END"
static const char history_sql[] =
    "WITH a AS MATERIALIZED (SELECT x.* FROM " ANSWER_SQL " AS x),"
    " d AS MATERIALIZED (SELECT (min(d.day) - date '1970-01-01')"
    " * bigint '86400000' - " SHIFT " AS first,"
    " (max(d.day) + 1 - date '1970-01-01')"
    " * bigint '86400000' - " SHIFT " AS last"
    " FROM turnout.event_days AS d WHERE d.event_id = $1::text),"
    " r AS MATERIALIZED (SELECT"
    " greatest(d.first / $2::bigint, (d.last - 1) / $2::bigint - 999, 0)"
    " * $2::bigint + " SHIFT " AS from_ms,"
    " ((d.last - 1) / $2::bigint + 1) * $2::bigint + " SHIFT " AS to_ms"
    " FROM d WHERE $3::bigint IS NULL AND d.last > 0"
    " UNION ALL SELECT $3::bigint, $4::bigint WHERE $3::bigint IS NOT NULL),"
    " h AS MATERIALIZED (SELECT f.* FROM r, LATERAL"
    " turnout.event_history($1::text, $2::bigint, r.from_ms, r.to_ms) AS f)"
    " SELECT a.*, e.event_id, r.from_ms, r.to_ms,"
    " h.at_ms, h.rsvps, h.headcount"
    " FROM a LEFT JOIN turnout.events AS e ON e.event_id = $1::text"
    " LEFT JOIN r ON true LEFT JOIN h ON true ORDER BY h.at_ms";
/* clang-format on */

enum column {
	COLUMN_EVENT_ID = ANSWER_COLUMNS,
	COLUMN_FROM,
	COLUMN_TO,
	COLUMN_AT,
	COLUMN_RSVPS,
	COLUMN_HEADCOUNT,
};

static void
from_rows(struct history *h)
{
	size_t i, rows = (size_t)PQntuples(h->res);

	answer_from_row(&h->answer, h->res);
	h->event_id = details_text(h->res, 0, COLUMN_EVENT_ID);
	h->from_ms = details_number(h->res, 0, COLUMN_FROM);
	h->to_ms = details_number(h->res, 0, COLUMN_TO);
	if (PQgetisnull(h->res, 0, COLUMN_AT))
		return;
	h->points = xcalloc(rows, sizeof(*h->points));
	for (i = 0; i < rows; i++) {
		struct history_point *point = &h->points[i];

		point->at_ms = details_number(h->res, (int)i, COLUMN_AT);
		point->rsvps = details_number(h->res, (int)i, COLUMN_RSVPS);
		point->headcount = details_number(
		    h->res, (int)i, COLUMN_HEADCOUNT);
	}
	h->n = rows;
}

/* Loads a history.  FILL_OK: history_free() it; else *h is as it was. */
enum fill
history_load(
    struct history *h, const struct request *r, struct db *db, int timeout_ms)
{
	struct history fresh = { .step_ms = r->step_ms };
	const struct range *range = &r->topk.range;
	enum fill rc = FILL_BUG;
	struct args args = { 0 };

	args_text(&args, r->id);
	args_number(&args, r->step_ms);
	if (range->kind == RANGE_ALL) {
		args_null(&args);
		args_null(&args);
	} else {
		args_number(&args, range->from_ms);
		args_number(&args, range->to_ms);
	}
	fresh.res = answer_query(db, history_sql, &args, timeout_ms, &rc);
	if (fresh.res == NULL)
		return rc;
	if (PQgetisnull(fresh.res, 0, COLUMN_EVENT_ID)) {
		PQclear(fresh.res);
		return FILL_NOT_FOUND;
	}
	from_rows(&fresh);
	*h = fresh;
	return FILL_OK;
}

void
history_free(struct history *h)
{
	free(h->points);
	PQclear(h->res);
	memset(h, 0, sizeof(*h));
}

/* Fills /api/events/{id}/history. */
enum fill
history_fill(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	struct history h = { 0 };
	enum fill rc;

	if ((rc = history_load(&h, r, db, timeout_ms)) != FILL_OK)
		return rc;
	history_json(out, &h);
	history_free(&h);
	return FILL_OK;
}
