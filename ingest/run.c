/*
 * The daemon's loop.  One thread polls Kafka and fills the open batch, the
 * storer's thread writes the closed one; this file only decides when which
 * batch goes where, and what is dropped.
 *
 * A dropped batch costs nothing but work: its records are read again from
 * the offset that PostgreSQL has.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "ingest/batch.h"
#include "ingest/consumer.h"
#include "ingest/counters.h"
#include "ingest/ingest_conf.h"
#include "ingest/run.h"
#include "ingest/status.h"
#include "ingest/storer.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/log.h"
#include "lib/stop.h"

#define PLACE_EVERY_MS 250
#define PLACE_WAITING_MS 100 /* for who had a partition */
#define SERVE_EVERY_MS 10
#define PLACE_TIMEOUT_MS 5000
#define HEARTBEAT_MS 1000
#define LOOK_MS 2000 /* at claims, and at what is stopped */
#define LAG_MS 500
#define STATS_MS 60000
#define PARK_AFTER_MS 10000 /* PostgreSQL away: hold no records longer */
#define REST_MS 1500	    /* to store what was read, before a stop */
#define STOP_MS 2500	    /* and to end: a stop may take 5 s */

struct run {
	const struct ingest_conf *conf;
	struct consumer *consumer;
	struct store *store;
	struct storer *storer;
	struct db *db; /* positions; the storer has its own */
	struct rsvp_parser *parser;
	struct batch open;
	struct batch spare;
	bool idle;	  /* the storer has nothing */
	bool fenced;	  /* positions must be read again */
	int64_t given_ms; /* when it got its batch */
	int64_t serve_ms; /* next look at the group */
	int64_t place_ms; /* next try to read positions */
	int64_t heartbeat_ms;
	int64_t look_ms;
	int64_t lag_ms;
	int64_t stats_ms;
	struct log_trouble place_trouble;
	int status;
};

/* Takes a settled batch back. */
static void
settle(struct run *run)
{
	if (run->idle || storer_wait(run->storer, 0) != STORER_SETTLED)
		return;
	run->idle = true;
	consumer_settled(run->consumer);
	switch (storer_take(run->storer, &run->spare)) {
	case STORE_DONE:
		consumer_applied(run->consumer, &run->spare);
		break;
	case STORE_FENCED:
		log_warn("another writer has moved the offsets of this batch; "
			 "dropped it, reading positions again");
		run->fenced = true;
		batch_clear(&run->open);
		break;
	case STORE_STOPPED:
		batch_clear(&run->open); /* it follows what was not stored */
		break;
	case STORE_FATAL:
		log_error("could not store a batch: %s; stopping, nothing of "
			  "it is lost",
		    store_errstr(run->store));
		run->status = 1;
		break;
	}
	batch_clear(&run->spare);
}

static bool
full(const struct run *run)
{
	return run->open.nrecords >= (size_t)run->conf->batch_max_messages ||
	    run->open.arena.len >= (size_t)run->conf->batch_max_bytes;
}

static bool
due(const struct run *run, int64_t now)
{
	return run->open.nrecords > 0 &&
	    (full(run) || consumer_leaving(run->consumer) ||
		now - run->open.opened_ms >= run->conf->batch_max_age_ms);
}

static void
give(struct run *run)
{
	batch_sort(&run->open);
	/* It stays the same once it is known. */
	store_set_cluster(run->store, consumer_cluster(run->consumer));
	consumer_given(run->consumer, &run->open);
	storer_give(run->storer, &run->open);
	if (run->open.source == NULL)
		batch_init(&run->open, run->conf->kafka_topic,
		    run->conf->store_members);
	batch_clear(&run->open);
	run->idle = false;
	run->given_ms = clock_mono_ms();
}

/* Gives the storer what is due: the open batch, or a heartbeat. */
static void
feed_storer(struct run *run, int64_t now)
{
	bool beat = now >= run->heartbeat_ms;

	if (!run->idle ||
	    (!due(run, now) && !(beat && run->open.nrecords == 0)))
		return;
	if (consumer_heartbeat(run->consumer, &run->open) == 0 &&
	    run->open.nrecords == 0) {
		batch_clear(&run->open);
		return;
	}
	run->heartbeat_ms = now + HEARTBEAT_MS;
	give(run);
}

/* Hears from the group, and releases what is another daemon's by now. */
static void
serve(struct run *run, int64_t now)
{
	if (now < run->serve_ms)
		return;
	run->serve_ms = now + SERVE_EVERY_MS;
	consumer_serve(run->consumer);
	consumer_release(run->consumer, &run->open, run->db, PLACE_TIMEOUT_MS);
}

/* Reads positions of partitions that have none that can be trusted. */
static void
place(struct run *run, int64_t now)
{
	if (now < run->place_ms || stop_asked() ||
	    !consumer_wants_place(run->consumer, run->idle))
		return;
	run->place_ms = now + PLACE_EVERY_MS;
	switch (consumer_place(run->consumer, run->db, PLACE_TIMEOUT_MS)) {
	case 0:
		run->place_ms = now + PLACE_WAITING_MS;
		log_trouble_over(&run->place_trouble);
		break;
	case CONSUMER_REFUSED:
		log_error("could not find where to read on: %s; stopping",
		    consumer_errstr(run->consumer));
		run->status = 1;
		break;
	default:
		log_trouble(&run->place_trouble,
		    "could not find where to read on: %s; trying again",
		    consumer_errstr(run->consumer));
	}
}

/* Has an operator decided how a stopped partition goes on? */
static void
look(struct run *run, int64_t now)
{
	if (!run->idle || now < run->look_ms || stop_asked())
		return;
	run->look_ms = now + LOOK_MS;
	if (!consumer_look(run->consumer, run->db, PLACE_TIMEOUT_MS))
		return;
	consumer_park(run->consumer);
	batch_clear(&run->open);
}

static void
accept_record(struct run *run)
{
	struct incoming in;

	if (run->open.nrecords == 0)
		run->open.opened_ms = clock_mono_ms();
	consumer_record(run->consumer, &in, &run->open);
	batch_add(&run->open, &in, run->parser,
	    in.has_ts ? in.pos.ts : clock_wall_ms());
}

static int
poll_ms(const struct run *run, int64_t now)
{
	int64_t left;

	if (!run->idle)
		return 10;
	if (run->open.nrecords == 0)
		return 100;
	left = run->open.opened_ms + run->conf->batch_max_age_ms - now;
	return left < 0 ? 0 : left > 100 ? 100 : (int)left;
}

static void
read_records(struct run *run, int64_t now)
{
	/* A full batch waits for the storer; librdkafka's queue is bounded. */
	if (full(run)) {
		storer_wait(run->storer, 100);
		if (run->idle || now - run->given_ms < PARK_AFTER_MS)
			return;
		batch_clear(&run->open);
		consumer_park(run->consumer);
	}
	switch (consumer_poll(run->consumer, poll_ms(run, now))) {
	case CONSUMER_RECORD:
		accept_record(run);
		break;
	case CONSUMER_MOVED:
		batch_clear(&run->open);
		break;
	case CONSUMER_FATAL:
		log_error(
		    "Kafka: %s; stopping", consumer_errstr(run->consumer));
		run->status = 1;
		break;
	case CONSUMER_NOTHING:
		break;
	}
}

static void
say_stats(struct run *run, int64_t now)
{
	struct buf line = { 0 };

	if (now < run->stats_ms)
		return;
	if (run->stats_ms != 0) {
		counters_stats_line(&line);
		log_info("stats: %s", buf_str(&line));
		buf_free(&line);
	}
	run->stats_ms = now + STATS_MS;
}

/* Also while the storer is busy: PostgreSQL may be away for long. */
static void
tell_lag(struct run *run, int64_t now)
{
	if (now < run->lag_ms)
		return;
	run->lag_ms = now + LAG_MS;
	consumer_tell_lag(run->consumer);
}

/*
 * What was read is stored before the end, if the batch in hand and this one
 * are done within REST_MS: whoever reads on would have to read it again.
 */
static void
store_the_rest(struct run *run)
{
	int64_t deadline = clock_mono_ms() + REST_MS;

	storer_wait(run->storer, REST_MS);
	settle(run);
	if (!run->idle || run->fenced || run->open.nrecords == 0 ||
	    run->status != 0)
		return;
	give(run);
	storer_wait(run->storer, clock_left_ms(deadline));
	settle(run);
}

static void
loop(struct run *run)
{
	int64_t now;

	while (!stop_asked() && run->status == 0) {
		now = clock_mono_ms();
		settle(run);
		if (run->fenced)
			consumer_fenced(run->consumer);
		run->fenced = false;
		serve(run, now);
		look(run, now);
		place(run, now);
		feed_storer(run, now);
		read_records(run, now);
		tell_lag(run, now);
		say_stats(run, now);
	}
	if (run->status != 0)
		return;
	log_info("stopping");
	store_the_rest(run);
}

static void
ready(const struct ingest_conf *conf)
{
	log_info("turnout-ingest %s ready: topic \"%s\", librdkafka %s, "
		 "libpq %d",
	    PACKAGE_VERSION, conf->kafka_topic, consumer_library(),
	    PQlibVersion());
#ifdef HAVE_SYSTEMD
	sd_notify(0, "READY=1");
#endif
}

/*
 * Ends both threads.  What is with the storer is settled by its transaction;
 * when somebody does not let go in time, the process leaves without freeing:
 * nothing but memory hangs on it.  The group is told in any case, or it would
 * wait for us until our session is over.
 */
static void
close_run(struct run *run)
{
	int64_t deadline = clock_mono_ms() + STOP_MS;
	bool settled, closed;

#ifdef HAVE_SYSTEMD
	sd_notify(0, "STOPPING=1");
#endif
	settled = storer_stop(run->storer, STOP_MS * 3 / 4);
	/* Who gets our partitions from the group may read them at once. */
	db_drop(run->db);
	closed = consumer_close(run->consumer, clock_left_ms(deadline) + 200);
	if (!settled || !closed) {
		log_info("stopped without waiting for %s",
		    closed	  ? "PostgreSQL"
			: settled ? "Kafka"
				  : "Kafka and PostgreSQL");
		_exit(run->status);
	}
	store_close(run->store);
	db_close(run->db);
	rsvp_parser_close(run->parser);
	batch_free(&run->open);
	batch_free(&run->spare);
	status_stop();
	log_info("stopped");
}

/* Runs until a stop is asked; returns the exit status. */
int
run_daemon(const struct ingest_conf *conf)
{
	struct run run = { .conf = conf, .idle = true };

	run.place_trouble.what = "the position";
	run.db = db_open(conf->pg_conninfo, "turnout-ingest positions");
	db_until_stop(run.db, stop_fd());
	run.store = store_open(conf);
	run.parser = rsvp_parser_open();
	batch_init(&run.open, conf->kafka_topic, conf->store_members);
	batch_init(&run.spare, conf->kafka_topic, conf->store_members);
	run.storer = storer_start(run.store);
	run.consumer = consumer_open(conf);
	if (consumer_errstr(run.consumer)[0] != '\0') {
		log_error("%s", consumer_errstr(run.consumer));
		run.status = 78;
	} else if (status_start(conf->metrics_listen) == -1) {
		log_error("could not listen on metrics.listen \"%s\"",
		    conf->metrics_listen);
		run.status = 1;
	} else {
		ready(conf);
		loop(&run);
	}
	close_run(&run);
	return run.status;
}
