/*
 * A batch: raw records, and what they come to.  Of each rsvp_id it keeps the
 * greatest version, of each event, group, venue and member the details that
 * are latest in log order, of each bad record a dead letter, and of each
 * partition how far it goes.  Pure: no I/O, no log, no clock.
 *
 * The order in which records are added does not matter, and a batch of any
 * size comes to the same as its records one by one.
 */
#ifndef TURNOUT_INGEST_BATCH_H
#define TURNOUT_INGEST_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/map.h"
#include "ingest/rsvp.h"
#include "lib/buf.h"

#define BATCH_REASON_MAX 48
#define BATCH_IMPORT_PART (-1) /* partition of a line of a file */

/*
 * Bytes in the batch's arena; absent = SQL NULL.  Small: there are a dozen in
 * a row, and an arena stays far below 4 GiB (batch.max_bytes).
 */
struct span {
	uint32_t at;
	uint32_t len : 31;
	uint32_t absent : 1;
};

/* A place in log order: (ts, part, offset), compared left to right. */
struct position {
	int64_t ts; /* ms since 1970 */
	int32_t part;
	int64_t offset;
};

/* A record as it came, kept so that it can become a dead letter. */
struct record {
	struct position pos; /* ts: of the record; INT64_MIN = it has none */
	struct span key, value;
	char reason[BATCH_REASON_MAX]; /* "" = a valid message */
	int64_t letter_id; /* of the dead letter it was; 0 = of none */
};

struct rsvp_row {
	int64_t rsvp_id;
	int64_t mtime_ms;
	int64_t member_id;
	int guests;
	enum rsvp_response response;
	struct span event_id;
};

enum detail_kind {
	DETAIL_EVENT,
	DETAIL_GROUP,
	DETAIL_VENUE,
	DETAIL_MEMBER,
	DETAIL_KINDS
};

#define DETAIL_TEXTS 6
#define DETAIL_NUMBERS 3

/* One row of a details table; store_sql.c names the columns. */
struct detail_row {
	int64_t id;	 /* of a group, venue or member */
	struct span key; /* of an event */
	struct position pos;
	uint64_t id_hash; /* of the id or key */
	uint64_t hash;	  /* of all below */
	struct span texts[DETAIL_TEXTS];
	int64_t numbers[DETAIL_NUMBERS]; /* RSVP_ABSENT = NULL */
	bool has_place;
	double lat, lon;
};

struct detail_set {
	struct detail_row *rows;
	size_t n, cap;
	struct map map;
};

/* How far a batch takes a partition (or, for an import, its lines). */
struct move {
	int32_t part;
	int64_t expected;    /* what the database must have now */
	int64_t next;	     /* what it has afterwards; may equal expected */
	int64_t last_offset; /* of the last record; INT64_MIN = no record */
	int64_t last_ts;
	int64_t last_crc;
	int64_t high; /* high watermark; INT64_MIN = not known now */
};

struct batch {
	char *source;	   /* topic, or import:FILE */
	int64_t import_id; /* of turnout.imports; 0 = from Kafka */
	bool retry;	   /* its records are dead letters: those applied go */
	bool store_members;
	struct buf arena;
	struct record *records;
	size_t nrecords, records_cap;
	size_t nbad; /* records with a reason */
	struct rsvp_row *rsvps;
	size_t nrsvps, rsvps_cap;
	struct map rsvp_map;
	struct detail_set details[DETAIL_KINDS];
	struct move *moves;
	size_t nmoves;
	int64_t opened_ms; /* monotonic: when the first record came */
};

/* One record to be added; its bytes are copied. */
struct incoming {
	struct position pos;
	bool has_ts;
	const void *key;
	size_t key_len;
	const void *value;
	size_t value_len;
	int64_t letter_id; /* 0 = it is no dead letter */
};

void batch_init(struct batch *, const char *source, bool store_members);
void batch_add(struct batch *, const struct incoming *, struct rsvp_parser *,
    int64_t now_ms);
void
batch_add_refused(struct batch *, const struct incoming *, const char *reason);
struct move *batch_move(struct batch *, int32_t part, int64_t expected);
bool batch_moves(const struct batch *, int32_t part);
const struct move *batch_first_move(const struct batch *);
void batch_sort(struct batch *);
void batch_clear(struct batch *);
void batch_free(struct batch *);
const char *batch_bytes(const struct batch *, const struct span *);
int position_compare(const struct position *, const struct position *);

#endif
