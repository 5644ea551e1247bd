/* A board and how it is loaded; see topk.h. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/fill.h"
#include "fcgi/range.h"
#include "fcgi/topk.h"
#include "lib/xalloc.h"

/*
 * One statement, its parts made once each: a tells of the answer, c is the
 * board, of one more event than is shown, to see a tie, and p the ranks in the
 * range before.  The order is that of bytes whatever the database collates by.
 */
/* clang-format off */
#define TOPK_SQL(board, previous, rank, join) \
	"WITH a AS MATERIALIZED (SELECT x.* FROM " ANSWER_SQL " AS x)," \
	" c AS MATERIALIZED (SELECT f.* FROM a, LATERAL turnout." board \
	" AS f)" previous \
	" SELECT a.*, " rank ", c.event_id, " DETAILS_SQL \
	" FROM a LEFT JOIN c ON true" join \
	" LEFT JOIN turnout.events AS e ON e.event_id = c.event_id" \
	DETAILS_JOINS \
	" ORDER BY CASE $1::text WHEN 'rsvps' THEN c.rsvps" \
	" ELSE c.headcount END DESC, c.event_id COLLATE \"C\""
#define BOARD_WINDOW \
	"board_window($1::text, $11::integer, " TOPK_QUERY_RANGE_SQL ", " \
	TOPK_QUERY_FILTER_SQL ")"

/* All time and everybody: about k rows are read, however many there are. */
static const char all_sql[] =
    TOPK_SQL("board($1::text, $2::integer)", "", "NULL", "");
static const char plain_sql[] = TOPK_SQL(BOARD_WINDOW, "", "NULL", "");
static const char range_sql[] = TOPK_SQL(BOARD_WINDOW,
    ", p AS MATERIALIZED (SELECT f.* FROM a, LATERAL turnout.previous_ranks("
    "$1::text, " TOPK_QUERY_RANGE_SQL ", " TOPK_QUERY_FILTER_SQL ") AS f)",
    "p.rank", " LEFT JOIN p ON p.event_id = c.event_id");

/*
 * A page's board: c says too how many more tie, s from when to when there are
 * RSVPs, h where the 24 hours of the plots begin: they end with the range.
 */
#define MTIMES(order) \
	"(SELECT r.mtime_ms FROM turnout.rsvps AS r" \
	" WHERE (r.response = 'yes') IS TRUE ORDER BY r.mtime_ms" order " LIMIT 1)"
static const char page_sql[] =
    "WITH a AS MATERIALIZED (SELECT x.* FROM " ANSWER_SQL " AS x),"
    " c AS MATERIALIZED (SELECT f.* FROM a, LATERAL turnout.board_page("
    "$1::text, $11::integer, " TOPK_QUERY_RANGE_SQL ", " TOPK_QUERY_FILTER_SQL
    ") AS f), p AS MATERIALIZED (SELECT f.* FROM a, LATERAL"
    " turnout.previous_ranks($1::text, " TOPK_QUERY_RANGE_SQL ", "
    TOPK_QUERY_FILTER_SQL ") AS f),"
    " s AS MATERIALIZED (SELECT " MTIMES("") " AS first_ms, " MTIMES(" DESC")
    " AS last_ms),"
    " h AS MATERIALIZED (SELECT (coalesce($3::bigint, a.as_of_ms) - 1)"
    " / 3600000 * 3600000 - 82800000 AS from_ms FROM a)"
    " SELECT a.*, p.rank, c.event_id, " DETAILS_SQL
    ", c.tied, s.first_ms, s.last_ms, h.from_ms, CASE WHEN $12::boolean THEN"
    " turnout.event_hours(c.event_id, h.from_ms) END"
    " FROM a CROSS JOIN s CROSS JOIN h LEFT JOIN c ON true"
    " LEFT JOIN p ON p.event_id = c.event_id"
    " LEFT JOIN turnout.events AS e ON e.event_id = c.event_id"
    DETAILS_JOINS
    " ORDER BY CASE $1::text WHEN 'rsvps' THEN c.rsvps"
    " ELSE c.headcount END DESC, c.event_id COLLATE \"C\"";
/* clang-format on */

enum column {
	COLUMN_PREVIOUS_RANK = ANSWER_COLUMNS,
	COLUMN_EVENT, /* event_id, then the columns of an event */
	/* Of a page. */
	COLUMN_TIED = COLUMN_EVENT + DETAILS_COLUMNS,
	COLUMN_FIRST,
	COLUMN_LAST,
	COLUMN_HOURS_FROM,
	COLUMN_HOURS,
};

static int64_t
counted(const struct topk *t, size_t i)
{
	const struct details_event *ev = &t->entries[i].event;

	return t->query.by == TOPK_BY_RSVPS ? ev->rsvps : ev->headcount;
}

static void
from_row(struct topk *t, size_t i)
{
	struct topk_entry *entry = &t->entries[i];
	const char *previous = details_text(
	    t->res, (int)i, COLUMN_PREVIOUS_RANK);

	details_from_row(&entry->event, t->res, (int)i, COLUMN_EVENT);
	entry->rank = (int)i + 1;
	if (i > 0 && counted(t, i) == counted(t, i - 1))
		entry->rank = entry[-1].rank;
	if (previous != NULL)
		entry->previous_rank = (int)strtol(previous, NULL, 10);
}

/* Reads the rows; the one of an empty board has no event. */
static void
from_rows(struct topk *t)
{
	size_t i, rows = (size_t)PQntuples(t->res);
	size_t k = (size_t)t->query.k;

	answer_from_row(&t->answer, t->res);
	range_answered(&t->query.range, t->answer.as_of_ms);
	if (PQgetisnull(t->res, 0, COLUMN_EVENT))
		return;
	t->entries = xcalloc(rows, sizeof(*t->entries));
	for (i = 0; i < rows; i++)
		from_row(t, i);
	t->tie_at_cutoff = rows > k && counted(t, k - 1) == counted(t, k);
	t->n = rows > k ? k : rows;
}

/* "{0,1,2}", as PostgreSQL writes an array of numbers. */
static void
hours_from_text(struct topk_entry *entry, const char *text)
{
	char *end;
	int i;

	for (i = 0; i < PLOT_HOURS && *text != '\0'; i++) {
		entry->hours[i] = (int)strtol(text + 1, &end, 10);
		text = end;
	}
	entry->plotted = i == PLOT_HOURS;
}

static void
page_from_rows(struct topk *t)
{
	const char *hours, *tied = details_text(t->res, 0, COLUMN_TIED);
	size_t i;

	t->first_ms = details_number(t->res, 0, COLUMN_FIRST);
	t->last_ms = details_number(t->res, 0, COLUMN_LAST);
	t->hours_from_ms = details_number(t->res, 0, COLUMN_HOURS_FROM);
	t->tied = tied == NULL ? -1 : (int)strtol(tied, NULL, 10);
	t->tie_at_cutoff = t->n > 0 && t->tied != 0;
	for (i = 0; i < t->n; i++) {
		hours = details_text(t->res, (int)i, COLUMN_HOURS);
		if (hours != NULL)
			hours_from_text(&t->entries[i], hours);
	}
}

/*
 * Loads a board of query->k events, from one snapshot, and what is wanted
 * with it.  FILL_OK: topk_free() it; else *t is as it was.
 */
enum fill
topk_load(struct topk *t, const struct topk_query *query, enum topk_want want,
    struct db *db, int timeout_ms)
{
	struct topk fresh = { .query = *query };
	const bool all = query->range.kind == RANGE_ALL;
	const bool page = want == TOPK_WANT_PAGE;
	const char *sql = page			 ? page_sql
	    : want == TOPK_WANT_PREVIOUS && !all ? range_sql
						 : plain_sql;
	struct args args = { 0 };
	enum fill why = FILL_BUG;

	if (!page && all && !filter_given(&query->filter)) {
		sql = all_sql;
		args_text(&args, topk_by_name(query->by));
	} else {
		topk_query_args(&args, query);
	}
	args_number(&args, page ? query->k : query->k + 1);
	if (page)
		args_text(&args, query->k <= TOPK_PLOTS_MAX ? "t" : "f");
	fresh.res = answer_query(db, sql, &args, timeout_ms, &why);
	if (fresh.res == NULL)
		return why;
	from_rows(&fresh);
	if (page)
		page_from_rows(&fresh);
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

/* Fills /api/topk, as JSON or CSV. */
enum fill
topk_fill_api(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	struct topk t = { 0 };
	enum fill rc;

	rc = topk_load(&t, &r->topk, TOPK_WANT_PREVIOUS, db, timeout_ms);
	if (rc != FILL_OK)
		return rc;
	if (r->csv)
		topk_csv(out, &t);
	else
		topk_json(out, &t);
	topk_free(&t);
	return FILL_OK;
}

/* Fills /. */
enum fill
topk_fill_html(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	struct topk t = { 0 };
	enum fill rc;

	rc = topk_load(&t, &r->topk, TOPK_WANT_PAGE, db, timeout_ms);
	if (rc != FILL_OK)
		return rc;
	t.suggested = suggest_get(db, timeout_ms);
	topk_html(out, &t);
	topk_free(&t);
	return FILL_OK;
}
