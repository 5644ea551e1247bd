/*
 * The watch thread asks the brokers once a second where each partition of the
 * topic begins and ends.  In librdkafka 2.0.2 that question may hang in spite
 * of its timeout; then nothing is refreshed, and lag honestly gets old.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ingest/consumer_internal.h"
#include "ingest/counters.h"
#include "lib/clock.h"
#include "lib/xalloc.h"

#define WATCH_EVERY_MS 1000
#define WATCH_QUERY_MS 2000

static void
ask(struct consumer *c, int32_t part)
{
	int64_t low, high, now = clock_mono_ms();

	if (rd_kafka_query_watermark_offsets(c->rk, c->conf->kafka_topic, part,
		&low, &high, WATCH_QUERY_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	pthread_mutex_lock(&c->lock);
	if (part < c->nwatched) {
		c->watched[part].low = low;
		c->watched[part].high = high;
		c->watched[part].seen_ms = now;
	}
	pthread_mutex_unlock(&c->lock);
}

static void *
watch(void *arg)
{
	struct consumer *c = arg;
	struct timespec tick = { .tv_nsec = 50000000 };
	int64_t next_ms = 0;
	int32_t n, i, had = 0;
	bool stop = false;

	while (!stop) {
		pthread_mutex_lock(&c->lock);
		n = c->nwatched;
		stop = c->watch_stop;
		pthread_mutex_unlock(&c->lock);
		if (!stop && (clock_mono_ms() >= next_ms || n > had)) {
			next_ms = clock_mono_ms() + WATCH_EVERY_MS;
			had = n;
			for (i = 0; i < n; i++)
				ask(c, i);
		}
		nanosleep(&tick, NULL);
	}
	pthread_mutex_lock(&c->lock);
	c->watch_ended = true;
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

void
watch_start(struct consumer *c)
{
	sigset_t all, old;

	pthread_mutex_init(&c->lock, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&c->watch, NULL, watch, c) != 0)
		die(1, "could not start a thread");
	pthread_setname_np(c->watch, "watch");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* Watches partitions 0..n-1; never fewer than before. */
void
watch_partitions(struct consumer *c, int32_t n)
{
	pthread_mutex_lock(&c->lock);
	if (n > c->nwatched) {
		c->watched = xreallocarray(
		    c->watched, (size_t)n, sizeof(*c->watched));
		memset(c->watched + c->nwatched, 0,
		    (size_t)(n - c->nwatched) * sizeof(*c->watched));
		c->nwatched = n;
	}
	pthread_mutex_unlock(&c->lock);
}

/* What is known of a partition since after_ms; false = nothing yet. */
bool
watch_get(
    struct consumer *c, int32_t part, int64_t after_ms, struct watermark *out)
{
	bool known = false;

	pthread_mutex_lock(&c->lock);
	if (part < c->nwatched && c->watched[part].seen_ms != 0 &&
	    c->watched[part].seen_ms >= after_ms) {
		*out = c->watched[part];
		known = true;
	}
	pthread_mutex_unlock(&c->lock);
	return known;
}

/*
 * Sets the gauges of the lag by the last ends that the brokers told, however
 * old: their age is a gauge, too, and grows while one of them is not known at
 * all.  A partition that is stopped is behind.
 */
void
consumer_tell_lag(struct consumer *c)
{
	int64_t now = clock_mono_ms(), lag = 0, behind_ms = 0, seen = now, age;
	const struct part *p;
	struct watermark mark;
	bool known = true;
	size_t i;

	for (i = 0; i < c->nparts; i++) {
		p = &c->parts[i];
		if (p->applied == -1 && p->waits &&
		    now - p->since_ms < CLAIM_MS)
			continue; /* of who has not released it yet */
		if (!watch_get(c, p->id, 0, &mark))
			mark = (struct watermark){ .high = -1,
				.seen_ms = p->since_ms };
		if (mark.seen_ms < seen)
			seen = mark.seen_ms;
		known = known && p->applied != -1 && mark.high != -1;
		if (mark.high <= p->applied)
			continue;
		lag += mark.high - p->applied;
		age = p->last_offset == INT64_MIN
		    ? 0
		    : clock_wall_ms() - p->last_ts;
		if (age > behind_ms)
			behind_ms = age;
	}
	count_set(COUNT_END_AGE, now - seen);
	if (!known)
		return; /* what was told before is nearer than 0 */
	count_set(COUNT_LAG_MESSAGES, lag);
	count_set(COUNT_LAG_SECONDS, behind_ms);
}

/* Ends the thread; false when a query hangs: nothing may be freed then. */
bool
watch_stop(struct consumer *c, int timeout_ms)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	struct timespec tick = { .tv_nsec = 10000000 };
	bool ended = false;

	pthread_mutex_lock(&c->lock);
	c->watch_stop = true;
	pthread_mutex_unlock(&c->lock);
	while (!ended && clock_left_ms(deadline) > 0) {
		nanosleep(&tick, NULL);
		pthread_mutex_lock(&c->lock);
		ended = c->watch_ended;
		pthread_mutex_unlock(&c->lock);
	}
	if (ended) {
		pthread_join(c->watch, NULL);
		pthread_mutex_destroy(&c->lock);
		free(c->watched);
	}
	return ended;
}
