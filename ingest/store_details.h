/* The details of a batch: events, groups, venues, members. */
#ifndef TURNOUT_INGEST_STORE_DETAILS_H
#define TURNOUT_INGEST_STORE_DETAILS_H

#include "ingest/known.h"
#include "ingest/statement.h"
#include "ingest/store_sql.h"

void
details_make(struct statements *, const struct batch *, const struct known *);
int store_details(struct db *, struct statements *, const struct batch *,
    struct stored *, int timeout_ms) MUSTCHECK;

#endif
