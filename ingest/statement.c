/* A statement on arrays; see statement.h. */
#include "config.h"

#include <stdlib.h>

#include "ingest/batch.h"
#include "ingest/statement.h"
#include "lib/buf.h"
#include "lib/xalloc.h"

#define STATEMENT_TEXTS 2

/* The room of its columns is used again when it is made anew. */
struct statement {
	const char *sql; /* NULL = there is nothing to run */
	struct buf columns[STATEMENT_COLUMNS];
	Oid types[STATEMENT_COLUMNS];
	int n;
	const char *texts[STATEMENT_TEXTS];
	int ntexts;
};

struct statement *
statement_new(void)
{
	return xcalloc(1, sizeof(struct statement));
}

void
statement_free(struct statement *st)
{
	int i;

	if (st == NULL)
		return;
	for (i = 0; i < STATEMENT_COLUMNS; i++)
		buf_free(&st->columns[i]);
	free(st);
}

/* Forgets what st was; sql is borrowed (NULL = there is nothing to run). */
void
statement_begin(struct statement *st, const char *sql)
{
	st->sql = sql;
	st->n = st->ntexts = 0;
}

/* Starts the next column ($1 and on): exactly so many elements follow. */
struct buf *
statement_column(struct statement *st, enum array_type type, size_t rows)
{
	struct buf *b = &st->columns[st->n];

	st->types[st->n++] = array_oid(type);
	array_begin(b, type, rows);
	return b;
}

/* The next parameter after the columns: text, borrowed, or NULL. */
void
statement_text(struct statement *st, const char *text)
{
	st->texts[st->ntexts++] = text;
}

bool
statement_is_made(const struct statement *st)
{
	return st->sql != NULL;
}

void
column_span(struct buf *col, const struct batch *b, const struct span *span)
{
	if (span->absent)
		array_null(col);
	else
		array_bytes(col, batch_bytes(b, span), span->len);
}

/* Adds n, or NULL when it is what the caller calls absent. */
void
column_number(struct buf *col, int64_t n, int64_t absent)
{
	if (n == absent)
		array_null(col);
	else
		array_int8(col, n);
}

/* Returns what db_query() returns. */
PGresult *
statement_run(struct statement *st, struct db *db, int timeout_ms)
{
	const char *values[STATEMENT_COLUMNS];
	int lengths[STATEMENT_COLUMNS], formats[STATEMENT_COLUMNS], i;
	struct db_params params = { .types = st->types,
		.values = values,
		.lengths = lengths,
		.formats = formats };

	for (i = 0; i < st->n; i++) {
		values[i] = st->columns[i].data;
		lengths[i] = (int)st->columns[i].len;
		formats[i] = 1;
	}
	for (; i < st->n + st->ntexts; i++) {
		values[i] = st->texts[i - st->n];
		lengths[i] = 0;
		formats[i] = 0;
		st->types[i] = ARRAY_TEXT;
	}
	params.n = i;
	return db_query(db, st->sql, &params, timeout_ms);
}
