/*
 * Whether a partition can be read on where the database says, and which
 * command continues it when it cannot: one judgement and one wording for the
 * daemon and for turnout-ingest offsets.  Pure: no I/O, no log, no clock.
 */
#ifndef TURNOUT_INGEST_PLACE_H
#define TURNOUT_INGEST_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "ingest/offsets.h"

enum place_fault {
	PLACE_OK,
	PLACE_CLUSTER, /* the row belongs to another cluster */
	PLACE_CUT,     /* the log ends before the offset */
	PLACE_GONE,    /* the log begins behind it */
	PLACE_CHANGED, /* another record is where the last one was */
	PLACE_MISSING, /* no record is there */
	PLACE_CORRUPT, /* a record at the offset or behind it is damaged */
};

/* A fault, and what its sentence needs. */
struct place {
	enum place_fault fault;
	int64_t low, high;   /* of the log: PLACE_CUT, PLACE_GONE */
	char cluster_id[64]; /* of the brokers: PLACE_CLUSTER */
};

/* What is found where the last applied record was. */
struct place_record {
	int64_t offset, ts, crc;
};

struct buf;

bool place_has_record(const struct offset_row *);
enum place_fault
place_cluster(const struct offset_row *, const char *cluster_id);
enum place_fault place_range(int64_t next_offset, int64_t low, int64_t high);
enum place_fault
place_record(const struct offset_row *, const struct place_record *found);
bool place_same_row(const struct offset_row *, const struct offset_row *);
void place_say(const struct place *, const struct offset_row *, struct buf *);

#endif
