/*
 * The Kafka side: a consumer group member whose positions come from
 * PostgreSQL.  A partition whose past cannot be trusted is stopped, loudly,
 * and the others go on.
 */
#ifndef TURNOUT_INGEST_CONSUMER_H
#define TURNOUT_INGEST_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include "ingest/batch.h"
#include "lib/attr.h"

struct consumer;
struct db;
struct ingest_conf;

enum consumer_event {
	CONSUMER_NOTHING, /* the queue is empty */
	CONSUMER_RECORD,  /* consumer_record() has it */
	CONSUMER_MOVED,	  /* partitions came or went: drop the open batch */
	CONSUMER_FATAL,	  /* leave; consumer_errstr() says why */
};

/* Called before partitions are given up, to let a batch in flight settle. */
typedef void consumer_before_revoke(void *arg);

int consumer_check(const struct ingest_conf *, struct buf *why) MUSTCHECK;
const char *consumer_library(void);
struct consumer *
consumer_open(const struct ingest_conf *, consumer_before_revoke *, void *arg);
const char *consumer_errstr(const struct consumer *);
enum consumer_event consumer_poll(struct consumer *, int timeout_ms);
void consumer_record(struct consumer *, struct incoming *, struct batch *);
bool consumer_wants_place(const struct consumer *);
int consumer_place(struct consumer *, struct db *, int timeout_ms) MUSTCHECK;
void consumer_park(struct consumer *);
void consumer_applied(struct consumer *, const struct batch *);
size_t consumer_heartbeat(struct consumer *, struct batch *);
const char *consumer_cluster(const struct consumer *);
bool consumer_close(struct consumer *, int timeout_ms);

#endif
