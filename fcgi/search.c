/* Events by their words and how they are loaded; see search.h. */
#include "config.h"

#include <string.h>

#include "fcgi/fill.h"
#include "fcgi/json.h"
#include "fcgi/search.h"
#include "lib/buf.h"

/* clang-format off */
static const char search_sql[] =
    "WITH a AS MATERIALIZED (SELECT x.* FROM " ANSWER_SQL " AS x),"
    " c AS MATERIALIZED (SELECT f.* FROM"
    " turnout.search_events($1::text, $2::integer) WITH ORDINALITY"
    " AS f (event_id, rsvps, headcount, place))"
    " SELECT a.*, c.event_id, " DETAILS_SQL
    " FROM a LEFT JOIN c ON true"
    " LEFT JOIN turnout.events AS e ON e.event_id = c.event_id"
    DETAILS_JOINS
    " ORDER BY c.place";
/* clang-format on */

/* Loads what was found.  FILL_OK: search_free() it; else *s is as it was. */
enum fill
search_load(
    struct search *s, const struct request *r, struct db *db, int timeout_ms)
{
	enum fill rc = FILL_BUG;
	struct args args = { 0 };
	PGresult *res;
	int row, rows;

	args_text(&args, r->words);
	args_number(&args, r->limit);
	res = answer_query(db, search_sql, &args, timeout_ms, &rc);
	if (res == NULL)
		return rc;
	memset(s, 0, sizeof(*s));
	s->words = r->words;
	s->limit = r->limit;
	s->res = res;
	answer_from_row(&s->answer, res);
	rows = PQgetisnull(res, 0, ANSWER_COLUMNS) ? 0 : PQntuples(res);
	for (row = 0; row < rows && row < REQUEST_LIMIT_MAX; row++)
		details_from_row(&s->events[s->n++], res, row, ANSWER_COLUMNS);
	return FILL_OK;
}

void
search_free(struct search *s)
{
	PQclear(s->res);
	memset(s, 0, sizeof(*s));
}

/* Renders the answer of /api/events. */
void
search_json(struct response *out, const struct search *s)
{
	struct buf *b = &out->body;
	struct answer_gap gap;
	size_t i;

	out->type = RESPONSE_JSON;
	buf_adds(b, "{\"query\":{\"q\":");
	json_cstring(b, s->words);
	buf_addf(b, ",\"limit\":%d},", s->limit);
	gap.from = b->len;
	out->mark_at = gap.to = answer_json(b, &s->answer);
	buf_adds(b, ",\"events\":[");
	for (i = 0; i < s->n; i++) {
		buf_adds(b, i == 0 ? "{" : ",{");
		details_json(b, &s->events[i]);
		buf_addc(b, '}');
	}
	buf_adds(b, "]}\n");
	answer_finish(out, &s->answer, &gap, 1);
}

static enum fill
fill(void (*render)(struct response *, const struct search *),
    struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	struct search s;
	enum fill rc;

	if ((rc = search_load(&s, r, db, timeout_ms)) != FILL_OK)
		return rc;
	render(out, &s);
	search_free(&s);
	return FILL_OK;
}

/* Fills /api/events. */
enum fill
search_fill(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	return fill(search_json, out, r, db, timeout_ms);
}

/* Fills /search. */
enum fill
search_fill_html(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	return fill(search_html, out, r, db, timeout_ms);
}
