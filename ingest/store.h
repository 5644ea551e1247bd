/*
 * One batch, one transaction: offsets, details, dead letters, RSVPs.  A batch
 * is either wholly in the database or not at all, and this module finds out
 * which, whatever breaks on the way.
 */
#ifndef TURNOUT_INGEST_STORE_H
#define TURNOUT_INGEST_STORE_H

#include <stdint.h>

#include "lib/attr.h"

struct batch;
struct ingest_conf;
struct store;

enum store_outcome {
	STORE_DONE,    /* it is committed, exactly once */
	STORE_FENCED,  /* another writer moved an offset: nothing was written */
	STORE_STOPPED, /* a stop was asked while it could not be written */
	STORE_FATAL,   /* a person must act: store_errstr() says why */
};

struct store *store_open(const struct ingest_conf *);
void store_set_cluster(struct store *, const char *cluster_id);
enum store_outcome store_batch(struct store *, struct batch *) MUSTCHECK;
int store_begin_import(
    struct store *, const char *file, int64_t *import_id) MUSTCHECK;
int
store_end_import(struct store *, int64_t import_id, int64_t lines) MUSTCHECK;
const char *store_errstr(const struct store *);
void store_close(struct store *);

#endif
