/*
 * The parameters of one statement: binary arrays, a column each, in room that
 * the next statement uses again.
 */
#ifndef TURNOUT_INGEST_SCRATCH_H
#define TURNOUT_INGEST_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#include "ingest/arrays.h"
#include "ingest/batch.h"
#include "lib/db.h"

struct scratch;

struct scratch *scratch_new(void);
struct buf *scratch_column(struct scratch *, enum array_type, size_t rows);
void scratch_span(struct buf *, const struct batch *, const struct span *);
void scratch_number(struct buf *, int64_t, int64_t absent);
PGresult *scratch_run(struct db *, struct scratch *, const char *sql,
    const char *const *texts, int ntexts, int timeout_ms);
void scratch_free(struct scratch *);

#endif
