/* The parameters of one statement; see scratch.h. */
#include "config.h"

#include <stdlib.h>

#include "ingest/scratch.h"
#include "lib/buf.h"
#include "lib/xalloc.h"

#define COLUMNS_MAX 16

/* Room for the parameters of one statement, used again by the next. */
struct scratch {
	struct buf columns[COLUMNS_MAX];
	Oid types[COLUMNS_MAX];
	int n;
};

struct scratch *
scratch_new(void)
{
	return xcalloc(1, sizeof(struct scratch));
}

void
scratch_free(struct scratch *s)
{
	int i;

	if (s == NULL)
		return;
	for (i = 0; i < COLUMNS_MAX; i++)
		buf_free(&s->columns[i]);
	free(s);
}

/* The next column of the statement, an array of so many rows. */
struct buf *
scratch_column(struct scratch *s, enum array_type type, size_t rows)
{
	struct buf *b = &s->columns[s->n];

	s->types[s->n++] = array_oid(type);
	array_begin(b, type, rows);
	return b;
}

/* Adds a span; an absent one is NULL. */
void
scratch_span(struct buf *col, const struct batch *b, const struct span *span)
{
	if (span->absent)
		array_null(col);
	else
		array_bytes(col, batch_bytes(b, span), span->len);
}

/* Adds a number, or NULL for the one that means absent. */
void
scratch_number(struct buf *col, int64_t n, int64_t absent)
{
	if (n == absent)
		array_null(col);
	else
		array_int8(col, n);
}

/*
 * Runs sql with the columns as binary, then ntexts texts (NULL allowed), and
 * forgets the columns.  Returns the result, or NULL: db_errstr() says why.
 */
PGresult *
scratch_run(struct db *db, struct scratch *s, const char *sql,
    const char *const *texts, int ntexts, int timeout_ms)
{
	const char *values[COLUMNS_MAX];
	int lengths[COLUMNS_MAX], formats[COLUMNS_MAX], i;
	struct db_params params = { .types = s->types,
		.values = values,
		.lengths = lengths,
		.formats = formats };

	for (i = 0; i < s->n; i++) {
		values[i] = s->columns[i].data;
		lengths[i] = (int)s->columns[i].len;
		formats[i] = 1;
	}
	for (; i < s->n + ntexts; i++) {
		values[i] = texts[i - s->n];
		lengths[i] = 0;
		formats[i] = 0;
		s->types[i] = ARRAY_TEXT;
	}
	params.n = i;
	s->n = 0;
	return db_query(db, sql, &params, timeout_ms);
}
