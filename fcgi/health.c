/* The routes for operators; see health.h. */
#include "config.h"

#include "fcgi/health.h"
#include "fcgi/response.h"
#include "fcgi/scoreboard.h"
#include "lib/db.h"

/* Alive: this worker answers.  It asks nobody, so that a database that is
 * away never makes a supervisor restart the pool. */
enum fill
health_fill(struct response *r, const struct request *req, struct db *db,
    int timeout_ms)
{
	(void)req;
	(void)db;
	(void)timeout_ms;
	r->type = RESPONSE_TEXT;
	buf_adds(&r->body, "ok\n");
	return FILL_OK;
}

/* Ready: PostgreSQL answers.  While it does not, serve.c looks whether the
 * cache still can. */
enum fill
ready_fill(struct response *r, const struct request *req, struct db *db,
    int timeout_ms)
{
	(void)req;
	r->type = RESPONSE_TEXT;
	if (db_exec(db, "SELECT FROM turnout.event_counts LIMIT 1",
		timeout_ms) == -1)
		return FILL_AWAY;
	buf_adds(&r->body, "ready\n");
	return FILL_OK;
}

/* What the pool has counted, in Prometheus' text format. */
enum fill
metrics_fill(struct response *r, const struct request *req, struct db *db,
    int timeout_ms)
{
	(void)req;
	(void)db;
	(void)timeout_ms;
	r->type = RESPONSE_TEXT;
	scoreboard_render(&r->body);
	return FILL_OK;
}
