/*
 * The statements of a batch's transaction, in the order in which they run.
 * Each sends its rows as one binary array a column.  All but the last resort,
 * again, are made before the transaction begins: while others wait for their
 * turn, PostgreSQL does not wait for a client that computes.
 */
#ifndef TURNOUT_INGEST_STORE_SQL_H
#define TURNOUT_INGEST_STORE_SQL_H

#include <stdint.h>

#include "ingest/batch.h"
#include "ingest/known.h"
#include "lib/attr.h"
#include "lib/db.h"

struct statement;

struct statements {
	struct statement *fence; /* moves offsets, or takes dead letters */
	struct statement *details[DETAIL_KINDS];
	struct statement *again; /* details that are wanted whole after all */
	struct statement *letters;
	struct statement *rsvps;
};

/* What a batch did, for the counters. */
struct stored {
	int64_t rows_changed;
	int64_t details_changed[DETAIL_KINDS];
};

struct statements *statements_new(void);
void statements_make(struct statements *, const struct batch *,
    const struct known *, const char *cluster_id);
void statements_free(struct statements *);

int sql_begin(struct db *, int timeout_ms);
int sql_move(struct db *, struct statements *, const struct batch *,
    int timeout_ms) MUSTCHECK;
PGresult *sql_read_move(struct db *, const struct batch *, const struct move *,
    int timeout_ms) MUSTCHECK;
int
sql_take_letters(struct db *, struct statements *, int timeout_ms) MUSTCHECK;
int
sql_dead_letters(struct db *, struct statements *, int timeout_ms) MUSTCHECK;
int sql_rsvps(struct db *, struct statements *, struct stored *,
    int timeout_ms) MUSTCHECK;
int sql_end_zombies(struct db *, int timeout_ms);
int sql_begin_import(struct db *, const char *file, int64_t *import_id,
    int timeout_ms) MUSTCHECK;
int sql_end_import(
    struct db *, int64_t import_id, int64_t lines, int timeout_ms) MUSTCHECK;

#endif
