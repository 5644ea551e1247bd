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

/* A partition that the group gave us, until the last of it is stored. */
struct part {
	int32_t id;
	bool reading;	  /* it has a position, and the reader reads it */
	bool placed;	  /* next is where what was read of it ends */
	bool leaving;	  /* the group took it back */
	bool in_flight;	  /* the storer's batch moves it */
	bool waits;	  /* for the last batch of who had it before */
	bool alone;	  /* no longer: read without a claim */
	int64_t since_ms; /* when the group gave it (monotonic) */
	bool stopped;	  /* it waits for the operator */
	bool told;	  /* and the log says why */
	bool verifying;	  /* the next record must be the last one read */
	int64_t next;	  /* offset of the next record to be accepted */
	int64_t applied;  /* all before it are in the database; -1 = unknown */
	int64_t last_offset, last_ts, last_crc; /* the fingerprint */
	int64_t doubt_ms;      /* out of range since (monotonic); 0 = not */
	struct offset_row row; /* by which it was placed or checked last */
	struct place place;    /* why it is stopped */
};

/* What the broker last said of a partition, asked by the watch thread. */
struct watermark {
	int64_t low, high;
	int64_t seen_ms; /* when it was asked (monotonic); 0 = not yet */
};

/*
 * Two clients of librdkafka: one is a member of the group and reads nothing,
 * the other is in no group and reads what it is told.  With one for both,
 * each rebalance would stop every partition of every member, and throw away
 * what was fetched; so it stops those that go to somebody else.
 */
struct consumer {
	rd_kafka_t *rk;		 /* reads */
	rd_kafka_t *member;	 /* NULL when asking */
	rd_kafka_message_t *rkm; /* of the last poll */
	const struct ingest_conf *conf;
	char *cluster_id; /* NULL = not known yet */
	struct part *parts;
	size_t nparts;
	bool parked;	    /* no position is trusted: all are read again */
	bool untold;	    /* Kafka was not told of all that is stored */
	bool recheck;	    /* the log may be another one */
	bool broken;	    /* the reader refused: the next poll parks */
	bool closing;	    /* the end of the membership is our own wish */
	int64_t awake_ms;   /* when this thread was last seen to run */
	int64_t between_ms; /* the group is being made anew since; 0 = no */
	size_t nleaving;
	bool asking; /* only a look: faults go to errstr alone */
	struct log_trouble trouble, member_trouble, why_trouble;
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

/* For the last batch of who read a partition; he may be dead, or hang. */
#define CLAIM_MS 10000

struct part *consumer_part(struct consumer *, int32_t id);
void consumer_stop_part(struct part *, const struct place *);
struct place_record consumer_fingerprint(const rd_kafka_message_t *);
struct consumer *consumer_new(const struct ingest_conf *, bool asking);
rd_kafka_conf_t *consumer_conf(struct consumer *);
int32_t consumer_count_partitions(struct consumer *, int timeout_ms);
void consumer_read_part(struct consumer *, struct part *);
void consumer_leave_part(struct consumer *, struct part *);
void consumer_begin_anew(struct consumer *, struct part *);
void consumer_recheck(struct consumer *);
void consumer_awake(struct consumer *);
void consumer_count_reading(const struct consumer *);

int member_join(struct consumer *);
void member_tell(struct consumer *);

void watch_start(struct consumer *);
void watch_partitions(struct consumer *, int32_t n);
bool watch_get(
    struct consumer *, int32_t part, int64_t after_ms, struct watermark *);
bool watch_stop(struct consumer *, int timeout_ms);

#endif
