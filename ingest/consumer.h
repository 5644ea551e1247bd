/*
 * The Kafka side: a consumer group member whose positions come from
 * PostgreSQL.  A partition whose past cannot be trusted is stopped, loudly,
 * and the others go on.
 *
 * When the group gives a partition to another daemon, that one waits until
 * the last batch of it is stored here: consumer_release() tells it so.
 */
#ifndef TURNOUT_INGEST_CONSUMER_H
#define TURNOUT_INGEST_CONSUMER_H

#include <stdbool.h>
#include <stdint.h>

#include "ingest/batch.h"
#include "ingest/place.h"
#include "lib/attr.h"

struct consumer;
struct db;
struct ingest_conf;

enum consumer_event {
	CONSUMER_NOTHING, /* the queue is empty */
	CONSUMER_RECORD,  /* consumer_record() has it */
	CONSUMER_MOVED,	  /* positions are read again: drop the open batch */
	CONSUMER_FATAL,	  /* leave; consumer_errstr() says why */
};

/* What the brokers have of a partition, beside what its row says. */
struct asked {
	bool known; /* low and high */
	int64_t low, high;
	bool judged; /* place: as the daemon judges it */
	struct place place;
	int64_t unread_ts; /* of the first record to come; INT64_MIN = none */
};

/* The answer of consumer_ask(), to be given to consumer_ask_free(). */
struct answer {
	struct asked *parts; /* by partition */
	int32_t nparts;
	bool hung;     /* librdkafka did not let go: leave by _exit() */
	char why[512]; /* there is no answer; "" = there is */
};

int consumer_check(const struct ingest_conf *, struct buf *why) MUSTCHECK;
const char *consumer_library(void);
struct consumer *consumer_open(const struct ingest_conf *);
const char *consumer_errstr(const struct consumer *);
enum consumer_event consumer_poll(struct consumer *, int timeout_ms);
void consumer_record(struct consumer *, struct incoming *, struct batch *);
void consumer_serve(struct consumer *);
bool consumer_leaving(const struct consumer *);
bool consumer_wants_place(const struct consumer *, bool idle);
#define CONSUMER_REFUSED (-2) /* by PostgreSQL, until a person has acted */
int consumer_place(struct consumer *, struct db *, int timeout_ms) MUSTCHECK;
bool consumer_look(struct consumer *, struct db *, int timeout_ms);
void consumer_park(struct consumer *);
void consumer_fenced(struct consumer *);
void consumer_given(struct consumer *, const struct batch *);
void consumer_settled(struct consumer *);
void consumer_applied(struct consumer *, const struct batch *);
void consumer_release(
    struct consumer *, const struct batch *open, struct db *, int timeout_ms);
size_t consumer_heartbeat(struct consumer *, struct batch *);
void consumer_tell_lag(struct consumer *);
const char *consumer_cluster(const struct consumer *);
void consumer_ask(const struct ingest_conf *, const struct offset_row *rows,
    size_t n, struct answer *);
void consumer_ask_free(struct answer *);
bool consumer_close(struct consumer *, int timeout_ms);

#endif
