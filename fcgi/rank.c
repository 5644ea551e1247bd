/* An event's place on a board and how it is loaded; see rank.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/fill.h"
#include "fcgi/range.h"
#include "fcgi/rank.h"

/* $11 is the event, $12 how many neighbours. */
/* clang-format off */
static const char rank_sql[] =
    "WITH a AS MATERIALIZED (SELECT x.* FROM " ANSWER_SQL " AS x),"
    " c AS MATERIALIZED (SELECT f.* FROM a, LATERAL turnout.event_rank("
    "$11::text, $1::text, " TOPK_QUERY_RANGE_SQL ", " TOPK_QUERY_FILTER_SQL
    ", $12::integer) WITH ORDINALITY"
    " AS f (rank, event_id, rsvps, headcount, place))"
    " SELECT a.*, own.event_id, c.rank, c.event_id, " DETAILS_SQL
    " FROM a LEFT JOIN turnout.events AS own ON own.event_id = $11::text"
    " LEFT JOIN c ON true"
    " LEFT JOIN turnout.events AS e ON e.event_id = c.event_id"
    DETAILS_JOINS
    " ORDER BY c.place";
/* clang-format on */

enum column {
	COLUMN_OWN = ANSWER_COLUMNS,
	COLUMN_RANK,
	COLUMN_EVENT, /* event_id, then the columns of an event */
};

static void
from_row(struct rank *rank, int row)
{
	struct rank_entry *entry = &rank->entries[rank->n++];
	const char *place = details_text(rank->res, row, COLUMN_RANK);

	details_from_row(&entry->event, rank->res, row, COLUMN_EVENT);
	entry->rank = place == NULL ? 0 : (int)strtol(place, NULL, 10);
	if (strcmp(entry->event.event_id, rank->event_id) == 0) {
		rank->placed = true;
		rank->rank = entry->rank;
	}
}

static void
from_rows(struct rank *rank)
{
	int row, rows = PQntuples(rank->res);

	answer_from_row(&rank->answer, rank->res);
	range_answered(&rank->query.range, rank->answer.as_of_ms);
	rank->event_id = details_text(rank->res, 0, COLUMN_OWN);
	if (PQgetisnull(rank->res, 0, COLUMN_EVENT))
		return;
	for (row = 0; row < rows && row < RANK_ENTRIES_MAX; row++)
		from_row(rank, row);
}

/* Loads a rank.  FILL_OK: rank_free() it; else *rank is as it was. */
enum fill
rank_load(
    struct rank *rank, const struct request *r, struct db *db, int timeout_ms)
{
	struct rank fresh = { .query = r->topk, .around = r->around };
	enum fill rc = FILL_BUG;
	struct args args = { 0 };

	topk_query_args(&args, &r->topk);
	args_text(&args, r->id);
	args_number(&args, r->around);
	fresh.res = answer_query(db, rank_sql, &args, timeout_ms, &rc);
	if (fresh.res == NULL)
		return rc;
	if (PQgetisnull(fresh.res, 0, COLUMN_OWN)) {
		PQclear(fresh.res);
		return FILL_NOT_FOUND;
	}
	from_rows(&fresh);
	*rank = fresh;
	return FILL_OK;
}

void
rank_free(struct rank *rank)
{
	PQclear(rank->res);
	memset(rank, 0, sizeof(*rank));
}

/* Fills /api/events/{id}/rank. */
enum fill
rank_fill(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	struct rank rank = { .res = NULL };
	enum fill rc;

	if ((rc = rank_load(&rank, r, db, timeout_ms)) != FILL_OK)
		return rc;
	rank_json(out, &rank);
	rank_free(&rank);
	return FILL_OK;
}
