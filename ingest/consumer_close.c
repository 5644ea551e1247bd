/*
 * How turnout-ingest lets its consumer go.  Leaving the group may wait for
 * ever in librdkafka 2.0.2 for an answer of the group, and destroying the
 * client for the end of a broker's thread: a thread of its own does each, and
 * the caller waits for it with a bound.
 */
#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "ingest/consumer.h"
#include "ingest/consumer_internal.h"
#include "lib/clock.h"

static void *
leave(void *arg)
{
	struct consumer *c = arg;

	rd_kafka_consumer_close(c->member);
	atomic_store(&c->let_go, true);
	return NULL;
}

static void *
destroy(void *arg)
{
	struct consumer *c = arg;

	if (c->member != NULL)
		rd_kafka_destroy(c->member);
	rd_kafka_destroy(c->rk);
	atomic_store(&c->let_go, true);
	return NULL;
}

/* Calls leave() or destroy(); false when it has not ended in time. */
static bool
let_go(struct consumer *c, void *(*how)(void *), int64_t deadline)
{
	struct timespec tick = { .tv_nsec = 10000000 };
	pthread_t thread;

	atomic_store(&c->let_go, false);
	if (pthread_create(&thread, NULL, how, c) != 0)
		return false;
	while (!atomic_load(&c->let_go) && clock_left_ms(deadline) > 0)
		nanosleep(&tick, NULL);
	if (!atomic_load(&c->let_go)) {
		pthread_detach(thread);
		return false;
	}
	pthread_join(thread, NULL);
	return true;
}

/*
 * Leaves the group and frees everything.  Returns false when librdkafka did
 * not let go in time: the caller must leave by _exit().
 */
bool
consumer_close(struct consumer *c, int timeout_ms)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;

	if (c->rk == NULL)
		goto out;
	if (c->rkm != NULL)
		rd_kafka_message_destroy(c->rkm);
	c->rkm = NULL;
	c->closing = true;
	if (c->member != NULL)
		member_tell(c);
	if ((c->member != NULL && !let_go(c, leave, deadline)) ||
	    !watch_stop(c, clock_left_ms(deadline) + 100) ||
	    !let_go(c, destroy, deadline + 100))
		return false;
out:
	free(c->parts);
	free(c->cluster_id);
	free(c);
	return true;
}
