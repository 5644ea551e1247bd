/*
 * The statements of a batch's transaction, in the order in which they run.
 * Each sends its rows as one binary array a column.
 */
#ifndef TURNOUT_INGEST_STORE_SQL_H
#define TURNOUT_INGEST_STORE_SQL_H

#include <stdint.h>

#include "lib/attr.h"

struct batch;
struct db;
struct statement;

/* What a batch did, for the counters. */
struct stored {
	int64_t rows_changed;
	int64_t details_changed[4]; /* by enum detail_kind */
};

int sql_begin(struct db *, int timeout_ms);
int sql_move(struct db *, struct statement *, const struct batch *,
    const char *cluster_id, int timeout_ms) MUSTCHECK;
int sql_take_letters(struct db *, struct statement *, const struct batch *,
    int timeout_ms) MUSTCHECK;
int sql_dead_letters(struct db *, struct statement *, const struct batch *,
    int timeout_ms) MUSTCHECK;
int sql_rsvps(struct db *, struct statement *, const struct batch *,
    struct stored *, int timeout_ms) MUSTCHECK;
int sql_end_zombies(struct db *, int timeout_ms);

#endif
