/* What the files of the consumer share: consumer*.c only. */
#ifndef TURNOUT_INGEST_CONSUMER_INTERNAL_H
#define TURNOUT_INGEST_CONSUMER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

#include "ingest/consumer.h"
#include "ingest/ingest_conf.h"
#include "ingest/offsets.h"
#include "ingest/place.h"
#include "lib/log.h"

/* A partition that the group gave us. */
struct part {
	int32_t id;
	bool reading;	 /* it has a position and is assigned */
	bool stopped;	 /* it waits for the operator */
	bool told;	 /* and the log says why */
	bool unverified; /* its last record is gone by retention: go on */
	bool verifying;	 /* the next record must be the last one applied */
	int64_t next;	 /* offset of the next record to be accepted */
	int64_t applied; /* all before it are in the database */
	int64_t last_offset, last_ts, last_crc; /* the fingerprint */
	int64_t doubt_ms;      /* out of range since (monotonic); 0 = not */
	struct offset_row row; /* by which it was placed last */
	struct place place;    /* why it is stopped */
};

/* What the broker last said of a partition, asked by the watch thread. */
struct watermark {
	int64_t low, high;
	int64_t seen_ms; /* monotonic; 0 = not yet */
};

struct consumer {
	rd_kafka_t *rk;
	rd_kafka_message_t *rkm; /* of the last poll */
	const struct ingest_conf *conf;
	char *cluster_id; /* NULL = not known yet */
	struct part *parts;
	size_t nparts;
	bool wants_place; /* positions must be read and assigned */
	bool moved;	  /* told by the next consumer_poll() */
	bool asking;	  /* only a look: faults go to errstr alone */
	consumer_before_revoke *before_revoke;
	void *arg;
	struct log_trouble trouble, why_trouble;
	char errstr[512];
	atomic_bool let_go; /* a thread that lets librdkafka go has ended */

	/* The watch thread: watermark queries may hang, so they have their
	 * own.  watched[i] is partition i of the topic. */
	pthread_t watch;
	pthread_mutex_t lock;
	struct watermark *watched;
	int32_t nwatched;
	bool watch_stop, watch_ended;
};

struct part *consumer_part(struct consumer *, int32_t id);
void consumer_stop_part(struct part *, const struct place *);
struct place_record consumer_fingerprint(const rd_kafka_message_t *);
struct consumer *consumer_new(const struct ingest_conf *, bool asking);
int32_t consumer_count_partitions(struct consumer *, int timeout_ms);
int consumer_assign(struct consumer *);

void watch_start(struct consumer *);
void watch_partitions(struct consumer *, int32_t n);
bool watch_get(
    struct consumer *, int32_t part, int64_t after_ms, struct watermark *);
bool watch_stop(struct consumer *, int timeout_ms);

#endif
