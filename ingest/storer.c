/* The second thread; see storer.h. */
#include "config.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ingest/batch.h"
#include "ingest/storer.h"
#include "lib/log.h"
#include "lib/xalloc.h"

struct storer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct store *store; /* of the thread while it is busy */
	struct batch batch;
	enum storer_state state;
	enum store_outcome outcome;
	bool stopping;
	bool ended;
};

static void *
work(void *arg)
{
	struct storer *s = arg;
	enum store_outcome outcome;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (s->state != STORER_BUSY && !s->stopping)
			pthread_cond_wait(&s->changed, &s->lock);
		if (s->state != STORER_BUSY)
			break;
		pthread_mutex_unlock(&s->lock);
		outcome = store_batch(s->store, &s->batch);
		pthread_mutex_lock(&s->lock);
		s->outcome = outcome;
		s->state = STORER_SETTLED;
		pthread_cond_broadcast(&s->changed);
	}
	s->ended = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Starts the thread; it uses the store, which stays the caller's to close. */
struct storer *
storer_start(struct store *store)
{
	struct storer *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;
	sigset_t all, old;

	s->store = store;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	/* Signals are the first thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&s->thread, NULL, work, s) != 0)
		die(1, "could not start a thread");
	pthread_setname_np(s->thread, "storer");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return s;
}

static struct timespec
deadline_in(int ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	return ts;
}

/* Waits at most timeout_ms (0 = just look) for a busy storer to settle. */
enum storer_state
storer_wait(struct storer *s, int timeout_ms)
{
	struct timespec until = deadline_in(timeout_ms);
	enum storer_state state;

	pthread_mutex_lock(&s->lock);
	while (s->state == STORER_BUSY && timeout_ms > 0)
		if (pthread_cond_timedwait(&s->changed, &s->lock, &until) != 0)
			break;
	state = s->state;
	pthread_mutex_unlock(&s->lock);
	return state;
}

/* Hands a sorted batch over to an idle storer; *b is an empty one then. */
void
storer_give(struct storer *s, struct batch *b)
{
	struct batch empty;

	pthread_mutex_lock(&s->lock);
	empty = s->batch;
	s->batch = *b;
	s->state = STORER_BUSY;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	*b = empty;
}

/* Takes a settled batch back (swapped with *b) and says what came of it. */
enum store_outcome
storer_take(struct storer *s, struct batch *b)
{
	enum store_outcome outcome;
	struct batch spare = *b;

	pthread_mutex_lock(&s->lock);
	outcome = s->outcome;
	*b = s->batch;
	s->batch = spare;
	s->state = STORER_IDLE;
	pthread_mutex_unlock(&s->lock);
	return outcome;
}

/*
 * Ends the thread when its batch is settled.  False when it was not within
 * timeout_ms: the thread still runs, and nothing may be freed.
 */
bool
storer_stop(struct storer *s, int timeout_ms)
{
	struct timespec until = deadline_in(timeout_ms);
	bool ended;

	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->changed);
	while (!s->ended)
		if (pthread_cond_timedwait(&s->changed, &s->lock, &until) != 0)
			break;
	ended = s->ended;
	pthread_mutex_unlock(&s->lock);
	if (!ended)
		return false;
	pthread_join(s->thread, NULL);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	batch_free(&s->batch);
	free(s);
	return true;
}
