/*
 * Where the partitions of a topic stand in the database: read at each
 * assignment, made once for a topic and for each partition that is new.
 * Moving them is the business of the batch's transaction (store_sql.c).
 */
#ifndef TURNOUT_INGEST_OFFSETS_H
#define TURNOUT_INGEST_OFFSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

struct db;

struct offset_row {
	int32_t part;
	int64_t next_offset;
	char cluster_id[64];
	int64_t last_offset; /* INT64_MIN: no record was applied yet */
	int64_t last_ts;
	int64_t last_crc;
};

/* A wish to read a partition, and what became of it. */
struct claim {
	int32_t part;
	bool ours;
};

int offsets_claim(struct db *, const char *topic, struct claim *, size_t n,
    int timeout_ms) MUSTCHECK;
int offsets_release(struct db *, const char *topic, const struct claim *,
    size_t n, int timeout_ms) MUSTCHECK;
int offsets_load(struct db *, const char *topic, struct offset_row **rows,
    size_t *n, int timeout_ms) MUSTCHECK;
int offsets_create(struct db *, const char *topic, int32_t part,
    int64_t next_offset, int timeout_ms) MUSTCHECK;
int offsets_stop(struct db *, const char *topic, const struct offset_row *,
    const char *why, int timeout_ms) MUSTCHECK;

#endif
