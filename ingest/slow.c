/* Statements that may take minutes; see slow.h. */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ingest/ingest_conf.h"
#include "ingest/progress.h"
#include "ingest/slow.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "lib/xalloc.h"

#define STATEMENT_MS 600000
#define LOOK_MS 200
#define CANCEL_MS 2000 /* each for asking, and for the end to come */

struct slow {
	const struct ingest_conf *conf;
	struct progress *progress; /* may be NULL */
	struct db *db;
	struct buf why;
	/* Of the statement that runs; copies, it may outlive its caller. */
	char *sql;
	char *values[SLOW_VALUES];
	int n;
	PGresult *res;
	int done[2]; /* the thread closes its end */
	bool left;   /* it runs for ever: nothing here may be freed */
};

/* Nothing is connected yet; both are borrowed, progress may be NULL. */
struct slow *
slow_open(const struct ingest_conf *conf, struct progress *progress)
{
	struct slow *s = xcalloc(1, sizeof(*s));

	s->conf = conf;
	s->progress = progress;
	s->db = db_open(conf->pg_conninfo, "turnout-ingest");
	return s;
}

static void *
run(void *arg)
{
	struct slow *s = arg;
	const struct db_params params = { .n = s->n,
		.values = (const char *const *)s->values };

	s->res = db_query(s->db, s->sql, &params, STATEMENT_MS);
	close(s->done[1]);
	return NULL;
}

/* Whether the statement came to its end before the deadline. */
static bool
wait_done(struct slow *s, int64_t deadline)
{
	struct pollfd pfd = { .fd = s->done[0], .events = POLLIN };

	while (poll(&pfd, 1, clock_left_ms(deadline)) != 1)
		if (clock_left_ms(deadline) == 0)
			return false;
	return true;
}

/* Asks the server to cancel what backend pid runs; 0 = none is known. */
static void
cancel(const struct slow *s, int pid)
{
	struct db *db;
	struct buf sql = { 0 };

	if (pid == 0)
		return;
	db = db_open(s->conf->pg_conninfo, "turnout-ingest");
	buf_addf(&sql, "SELECT pg_cancel_backend(%d)", pid);
	if (db_exec(db, buf_str(&sql), CANCEL_MS) == -1)
		log_warn("could not cancel a statement: %s", db_errstr(db));
	buf_free(&sql);
	db_close(db);
}

/* Until the statement's end, or a stop; false = it was left behind. */
static bool
wait_or_stop(struct slow *s, int pid)
{
	struct pollfd pfds[] = { { .fd = s->done[0], .events = POLLIN },
		{ .fd = stop_fd(), .events = POLLIN } };

	for (;;) {
		if (poll(pfds, NITEMS(pfds), LOOK_MS) > 0 &&
		    pfds[0].revents != 0)
			return true;
		if (stop_asked())
			break;
		if (s->progress != NULL)
			progress_seconds(s->progress);
	}
	cancel(s, pid);
	return wait_done(s, clock_mono_ms() + CANCEL_MS);
}

/*
 * db_query() with n texts (NULL allowed), connecting first if need be.
 * Returns NULL at a failure, and when a stop was asked for; then
 * stop_asked() is true.
 */
PGresult *
slow_query(struct slow *s, const char *sql, int n, const char *const *values)
{
	int pid = db_backend_pid(s->db);
	pthread_t thread;
	int i;

	if (s->left || stop_asked())
		return NULL;
	s->sql = xstrdup(sql);
	s->n = n;
	for (i = 0; i < n; i++)
		s->values[i] = values[i] == NULL ? NULL : xstrdup(values[i]);
	s->res = NULL;
	if (pipe2(s->done, O_CLOEXEC) == -1 ||
	    pthread_create(&thread, NULL, run, s) != 0)
		die(1, "could not start a thread");
	if (!wait_or_stop(s, pid)) {
		s->left = true;
		return NULL;
	}
	pthread_join(thread, NULL);
	close(s->done[0]);
	for (i = 0; i < n; i++)
		free(s->values[i]);
	free(s->sql);
	return s->res;
}

/* slow_query() for statements whose result is of no use. */
int
slow_exec(struct slow *s, const char *sql)
{
	PGresult *res = slow_query(s, sql, 0, NULL);

	if (res == NULL)
		return -1;
	PQclear(res);
	return 0;
}

enum db_fault
slow_fault(const struct slow *s)
{
	return s->left ? DB_FAULT_LOST : db_fault(s->db);
}

/* Borrows the reason of the last failure, with its SQLSTATE. */
const char *
slow_errstr(struct slow *s)
{
	buf_clear(&s->why);
	if (s->left)
		buf_adds(&s->why, "no answer in time");
	else if (db_sqlstate(s->db)[0] == '\0')
		buf_adds(&s->why, db_errstr(s->db));
	else
		buf_addf(&s->why, "%s, SQLSTATE %s", db_errstr(s->db),
		    db_sqlstate(s->db));
	return buf_str(&s->why);
}

/* Drops the connection, and so a transaction; the next call connects. */
void
slow_drop(struct slow *s)
{
	if (!s->left)
		db_drop(s->db);
}

void
slow_close(struct slow *s)
{
	if (s == NULL || s->left)
		return;
	db_close(s->db);
	buf_free(&s->why);
	free(s);
}
