/*
 * One statement whose parameters are arrays, a column each: rows go over in
 * PostgreSQL's binary format, whatever their number, in one message.
 */
#ifndef TURNOUT_INGEST_STATEMENT_H
#define TURNOUT_INGEST_STATEMENT_H

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
struct buf *statement_column(struct statement *, enum array_type, size_t rows);
PGresult *statement_run(struct statement *, struct db *, const char *sql,
    const char *const *texts, int ntexts, int timeout_ms) MUSTCHECK;

void column_span(struct buf *, const struct batch *, const struct span *);
void column_number(struct buf *, int64_t n, int64_t absent);

#endif
