/* What an operator wants to see, and how it is loaded; see status.h. */
#include "config.h"

#include <string.h>

#include "fcgi/details.h"
#include "fcgi/fill.h"
#include "fcgi/status.h"

/* Rows of two kinds: 0 the partitions, 1 the reasons of dead letters. */
/* clang-format off */
static const char status_sql[] =
    "WITH a AS MATERIALIZED (SELECT x.* FROM " ANSWER_SQL " AS x),"
    " parts AS MATERIALIZED ("
    "(SELECT 0 AS kind, o.topic AS name, o.part::bigint AS n1,"
    " o.next_offset AS n2, o.high_watermark AS n3,"
    " greatest(o.high_watermark - o.next_offset, 0) AS n4,"
    " floor(extract(epoch FROM o.checked_at) * 1000)::bigint AS n5,"
    " o.stopped_why AS why"
    " FROM turnout.ingest_offsets AS o"
    " ORDER BY o.stopped_why IS NULL, 6 DESC NULLS FIRST, 2, 3 LIMIT 50)"
    " UNION ALL SELECT 1, l.reason, l.letters,"
    " floor(extract(epoch FROM l.last_at) * 1000)::bigint,"
    " l.whole::integer, NULL, NULL, NULL"
    " FROM turnout.letter_reasons($1::integer) AS l)"
    " SELECT a.*, p.kind, p.name, p.n1, p.n2, p.n3, p.n4, p.n5, p.why"
    " FROM a LEFT JOIN parts AS p ON true"
    " ORDER BY p.kind, CASE p.kind WHEN 0 THEN p.n4 ELSE p.n1 END"
    " DESC NULLS FIRST, p.name, p.n1";
/* clang-format on */

enum column {
	COLUMN_KIND = ANSWER_COLUMNS,
	COLUMN_NAME,
	COLUMN_N1,
	COLUMN_N2,
	COLUMN_N3,
	COLUMN_N4,
	COLUMN_N5,
	COLUMN_WHY,
};

static void
add_partition(struct status *s, int row)
{
	struct status_partition *p;

	if (s->npartitions == STATUS_PARTITIONS_MAX)
		return;
	p = &s->partitions[s->npartitions++];
	p->topic = details_text(s->res, row, COLUMN_NAME);
	p->part = details_number(s->res, row, COLUMN_N1);
	p->next_offset = details_number(s->res, row, COLUMN_N2);
	p->end = details_number(s->res, row, COLUMN_N3);
	p->lag = details_number(s->res, row, COLUMN_N4);
	p->checked_ms = details_number(s->res, row, COLUMN_N5);
	p->stopped_why = details_text(s->res, row, COLUMN_WHY);
}

static void
add_reason(struct status *s, int row)
{
	struct status_reason *r;

	if (s->nreasons == STATUS_REASONS_MAX)
		return;
	r = &s->reasons[s->nreasons++];
	r->reason = details_text(s->res, row, COLUMN_NAME);
	r->letters = details_number(s->res, row, COLUMN_N1);
	r->last_ms = details_number(s->res, row, COLUMN_N2);
	s->letters_cut = details_number(s->res, row, COLUMN_N3) == 0;
}

static void
from_rows(struct status *s)
{
	int row;

	answer_from_row(&s->answer, s->res);
	for (row = 0; row < PQntuples(s->res); row++) {
		switch (details_number(s->res, row, COLUMN_KIND)) {
		case 0:
			add_partition(s, row);
			break;
		case 1:
			add_reason(s, row);
			break;
		default: /* neither was there */
			break;
		}
	}
}

static void
from_scoreboard(struct status *s)
{
	const char *name;
	int open;

	scoreboard_sum(s->scores);
	s->longest_ms = scoreboard_longest_ms();
	while ((name = scoreboard_node((int)s->nnodes, &open)) != NULL) {
		s->nodes[s->nnodes].name = name;
		s->nodes[s->nnodes++].open = open;
	}
}

/* Fills /status.  Without a database (NULL) it tells what is known without
 * one; that never fails. */
enum fill
status_fill(struct response *out, const struct request *r, struct db *db,
    int timeout_ms)
{
	struct status s = { .away = db == NULL };
	struct args args = { 0 };
	enum fill rc;

	(void)r;
	if (db != NULL) {
		args_number(&args, STATUS_LETTERS);
		s.res = answer_query(db, status_sql, &args, timeout_ms, &rc);
		if (s.res == NULL)
			return rc;
		from_rows(&s);
	}
	from_scoreboard(&s);
	status_html(out, &s);
	PQclear(s.res);
	return FILL_OK;
}
