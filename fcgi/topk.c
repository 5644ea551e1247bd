/* A board and how it is loaded; see topk.h. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/fill.h"
#include "fcgi/topk.h"
#include "lib/xalloc.h"

/*
 * The cost is about k rows whatever the number of events; one more row than
 * shown tells of a tie.
 */
/* clang-format off */
#define TOPK_SQL(count) \
	"SELECT a.*, c.event_id, " DETAILS_SQL \
	" FROM " ANSWER_SQL " AS a" \
	" LEFT JOIN turnout.board('" count "', $1::integer) AS c ON true" \
	" LEFT JOIN turnout.events AS e ON e.event_id = c.event_id" \
	DETAILS_JOINS \
	" ORDER BY c." count " DESC, c.event_id"
/* clang-format on */

static const char *const by_names[] = {
	[TOPK_BY_RSVPS] = "rsvps",
	[TOPK_BY_HEADCOUNT] = "headcount",
};
static const char *const by_sql[] = {
	[TOPK_BY_RSVPS] = TOPK_SQL("rsvps"),
	[TOPK_BY_HEADCOUNT] = TOPK_SQL("headcount"),
};

/* The value of the parameter by. */
const char *
topk_by_name(enum topk_by by)
{
	return by_names[by];
}

static int64_t
counted(const struct topk *t, size_t i)
{
	const struct details_event *ev = &t->entries[i].event;

	return t->query.by == TOPK_BY_RSVPS ? ev->rsvps : ev->headcount;
}

/* Reads the rows; the one of an empty board has no event. */
static void
from_rows(struct topk *t)
{
	size_t i, rows = (size_t)PQntuples(t->res);
	size_t k = (size_t)t->query.k;

	answer_from_row(&t->answer, t->res);
	if (PQgetisnull(t->res, 0, ANSWER_COLUMNS))
		return;
	t->entries = xcalloc(rows, sizeof(*t->entries));
	for (i = 0; i < rows; i++) {
		details_from_row(
		    &t->entries[i].event, t->res, (int)i, ANSWER_COLUMNS);
		t->entries[i].rank = (int)i + 1;
		if (i > 0 && counted(t, i) == counted(t, i - 1))
			t->entries[i].rank = t->entries[i - 1].rank;
	}
	t->tie_at_cutoff = rows > k && counted(t, k - 1) == counted(t, k);
	t->n = rows > k ? k : rows;
}

/* Loads a board of query->k events, from one snapshot.  FILL_OK: topk_free()
 * it; else *t is as it was. */
enum fill
topk_load(struct topk *t, const struct topk_query *query, struct db *db,
    int timeout_ms)
{
	struct topk fresh = { .query = *query };
	enum fill why = FILL_BUG;
	char limit[16];

	snprintf(limit, sizeof(limit), "%d", query->k + 1);
	fresh.res = answer_query(
	    db, by_sql[query->by], limit, timeout_ms, &why);
	if (fresh.res == NULL)
		return why;
	from_rows(&fresh);
	*t = fresh;
	return FILL_OK;
}

void
topk_free(struct topk *t)
{
	free(t->entries);
	PQclear(t->res);
	memset(t, 0, sizeof(*t));
}

static enum fill
fill(void (*render)(struct response *, const struct topk *),
    struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	struct topk t = { 0 };
	enum fill rc;

	if ((rc = topk_load(&t, &r->topk, db, timeout_ms)) != FILL_OK)
		return rc;
	render(out, &t);
	topk_free(&t);
	return FILL_OK;
}

/* Fills /api/topk. */
enum fill
topk_fill_json(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	return fill(topk_json, out, r, db, timeout_ms);
}

/* Fills /. */
enum fill
topk_fill_html(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	return fill(topk_html, out, r, db, timeout_ms);
}
