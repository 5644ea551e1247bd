/*
 * One statement whose parameters are arrays, a column each: rows go over in
 * PostgreSQL's binary format, whatever their number, in one message.  It is
 * made first and run later, as often as it has to be.
 */
#ifndef TURNOUT_INGEST_STATEMENT_H
#define TURNOUT_INGEST_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/arrays.h"
#include "lib/attr.h"
#include "lib/db.h"

#define STATEMENT_COLUMNS 16

struct batch;
struct span;
struct statement;

struct statement *statement_new(void);
void statement_free(struct statement *);
void statement_begin(struct statement *, const char *sql);
struct buf *statement_column(struct statement *, enum array_type, size_t rows);
void statement_text(struct statement *, const char *text);
bool statement_is_made(const struct statement *);
PGresult *
statement_run(struct statement *, struct db *, int timeout_ms) MUSTCHECK;

void column_span(struct buf *, const struct batch *, const struct span *);
void column_number(struct buf *, int64_t n, int64_t absent);

#endif
