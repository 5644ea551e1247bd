/*
 * One request; see serve.h.  The policy of the cache stands here:
 *   fresh               send it
 *   stale               send it, another worker is refilling
 *   stale, lock is ours ask PostgreSQL, keep the answer; if it is away or
 *                       too slow send the old one, marked
 *   nothing             ask PostgreSQL, keep the answer; if it is away or
 *                       too slow: 503
 * What was too slow is not asked again for some seconds, by any worker.
 * A fault of the cache is never a fault of the request.
 */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "fcgi/cache.h"
#include "fcgi/fcgi_conf.h"
#include "fcgi/query.h"
#include "fcgi/request.h"
#include "fcgi/respond.h"
#include "fcgi/route.h"
#include "fcgi/scoreboard.h"
#include "fcgi/serve.h"
#include "lib/clock.h"
#include "lib/db.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define DB_RETRY_MS 1000 /* PostgreSQL away: ask again after this */
#define DB_LOST_MS 100	 /* a connection lost sooner was dead before */
#define RETRY_AFTER_S 2
#define SLOW_RETRY_AFTER_S 30 /* each try costs the database its limit */

struct server {
	const struct fcgi_conf *conf;
	struct cache *cache;
	struct db *db;
	struct log_trouble db_trouble, bug_trouble, slow_trouble;
	struct response old, fresh; /* of the request in hand */
	struct buf key;
};

/* Connects to nothing yet.  The configuration is borrowed. */
struct server *
server_open(const struct fcgi_conf *conf)
{
	struct server *s = xcalloc(1, sizeof(*s));

	s->conf = conf;
	s->cache = cache_open(conf);
	s->db = db_open(conf->pg_conninfo, "turnout-fcgi");
	s->db_trouble.what = "PostgreSQL";
	s->bug_trouble.what = "the query";
	s->slow_trouble.what = "a question";
	return s;
}

static void
clear(struct response *r)
{
	struct buf body = r->body;

	buf_clear(&body);
	memset(r, 0, sizeof(*r));
	r->body = body;
	r->status = 200;
	r->mark_at = RESPONSE_NO_MARK;
}

/* Connects if need be; -1 = PostgreSQL is away, or was a moment ago. */
static int
reach(struct server *s)
{
	if (db_connected(s->db))
		return 0;
	if (score_db_away() > 0 && !score_db_probe(DB_RETRY_MS))
		return -1;
	if (db_connect(s->db, (int)s->conf->pg_timeout_ms) == 0)
		return 0;
	score_add(SCORE_DB_ERRORS, 1);
	score_db(false);
	log_trouble(&s->db_trouble,
	    "could not connect to PostgreSQL: %s; serving what is cached",
	    db_errstr(s->db));
	return -1;
}

/* What an answer, or that there was none, says of PostgreSQL. */
static void
judge(struct server *s, enum fill fill)
{
	switch (fill) {
	case FILL_SLOW:
		/* Says nothing of the next question, and is never over. */
		score_add(SCORE_DB_ERRORS, 1);
		log_trouble(&s->slow_trouble,
		    "PostgreSQL gave a question up: %s", db_errstr(s->db));
		break;
	case FILL_AWAY:
		score_add(SCORE_DB_ERRORS, 1);
		log_trouble(&s->db_trouble,
		    "PostgreSQL did not answer: %s; serving what is cached",
		    db_errstr(s->db));
		if (!db_connected(s->db))
			score_db(false);
		break;
	case FILL_BUG:
		score_add(SCORE_DB_ERRORS, 1);
		log_trouble(&s->bug_trouble,
		    "PostgreSQL refuses our query: "
		    "%s, SQLSTATE %s",
		    db_errstr(s->db), db_sqlstate(s->db));
		break;
	case FILL_OK:
	case FILL_NOT_FOUND:
		score_db(true);
		log_trouble_over(&s->db_trouble);
		break;
	}
}

static enum fill
run(struct server *s, const struct request *req)
{
	clear(&s->fresh);
	score_add(SCORE_DB_QUERIES, 1);
	return req->route->fill(
	    &s->fresh, req, s->db, (int)s->conf->pg_timeout_ms);
}

/* Asks PostgreSQL, unless it was away a moment ago. */
static enum fill
ask(struct server *s, const struct request *req)
{
	int64_t start = clock_mono_ms();
	bool old = db_connected(s->db);
	enum fill fill;

	db_until(s->db, start + FCGI_CONF_PG_WAITS * s->conf->pg_timeout_ms);
	if (reach(s) == -1)
		return FILL_AWAY;
	fill = run(s, req);
	/* That PostgreSQL was restarted is seen by using what is left of the
	 * old connection; a new one may well work. */
	if (fill == FILL_AWAY && old && !db_connected(s->db) &&
	    clock_mono_ms() - start < DB_LOST_MS) {
		if (reach(s) == -1)
			return FILL_AWAY;
		fill = run(s, req);
	}
	judge(s, fill);
	return fill;
}

/* How an error page leads home, wherever it is shown: by the prefix. */
static const char *
base_of(const struct request_env *env)
{
	static char base[256];

	snprintf(base, sizeof(base), "%s/",
	    env->script_name == NULL || strlen(env->script_name) > 250
		? ""
		: env->script_name);
	return base;
}

static int
refuse(const struct request_env *env, const struct request *req,
    const struct problem *p, struct buf *out)
{
	const char *path = request_path(env);
	bool html = req->route != NULL ? req->route->html
				       : strncmp(path, "/api/", 5) != 0;

	return respond_problem(out, req, p, html, base_of(env));
}

static int
refuse_fill(const struct request_env *env, const struct request *req,
    enum fill fill, struct buf *out)
{
	struct problem p = { 0 };

	switch (fill) {
	case FILL_NOT_FOUND:
		p.status = 404;
		p.title = "Not found";
		snprintf(p.detail, sizeof(p.detail),
		    "There is nothing with this id.");
		break;
	case FILL_AWAY:
		p.status = 503;
		p.title = "Temporarily unavailable";
		p.retry_after_s = RETRY_AFTER_S;
		snprintf(p.detail, sizeof(p.detail),
		    "The database does not answer just now, and there is no "
		    "earlier answer to show. Please try again in a moment.");
		break;
	case FILL_SLOW:
		query_too_wide(req, &p);
		p.retry_after_s = SLOW_RETRY_AFTER_S;
		break;
	case FILL_OK:
	case FILL_BUG:
		p.status = 500;
		p.title = "Internal error";
		snprintf(p.detail, sizeof(p.detail),
		    "Something is wrong on our side; it has been logged.");
		break;
	}
	return refuse(env, req, &p, out);
}

static int
send_fresh(struct server *s, const struct request_env *env,
    const struct request *req, enum fill fill, struct buf *out)
{
	if (fill != FILL_OK)
		return refuse_fill(env, req, fill, out);
	return respond(out, req, &s->fresh, false);
}

/* Not ready by itself; but the cache may still answer the first question. */
static int
degraded(struct server *s, const struct request_env *env,
    const struct request *req, struct buf *out)
{
	struct request first;
	struct problem p;
	const struct request_env board = { .method = "GET",
		.path_info = "/api/topk" };

	if (request_parse(&first, &board, &p) == 0) {
		buf_clear(&s->key);
		buf_addf(&s->key, "%s:", s->conf->cache_namespace);
		request_cache_key(&first, &s->key);
		clear(&s->old);
		if (cache_get(s->cache, buf_str(&s->key), INT64_MAX, &s->old) !=
		    CACHE_MISS) {
			clear(&s->fresh);
			s->fresh.type = RESPONSE_TEXT;
			buf_adds(&s->fresh.body,
			    "ready, but PostgreSQL is away: answers come from "
			    "the cache\n");
			return respond(out, req, &s->fresh, false);
		}
	}
	return refuse_fill(env, req, FILL_AWAY, out);
}

static int
serve_uncached(struct server *s, const struct request_env *env,
    const struct request *req, struct buf *out)
{
	enum fill fill;

	/* The others ask nobody, so they work whatever is away. */
	if (strcmp(req->route->path, "/readyz") == 0) {
		fill = ask(s, req);
		if (fill == FILL_AWAY)
			return degraded(s, env, req, out);
	} else if (strcmp(req->route->path, "/status") == 0) {
		fill = ask(s, req);
		if (fill != FILL_OK) {
			clear(&s->fresh);
			fill = req->route->fill(&s->fresh, req, NULL, 0);
		}
	} else {
		clear(&s->fresh);
		fill = req->route->fill(&s->fresh, req, s->db, 0);
	}
	return send_fresh(s, env, req, fill, out);
}

static const enum score looked_up[] = {
	[CACHE_MISS] = SCORE_CACHE_MISS,
	[CACHE_FRESH] = SCORE_CACHE_FRESH,
	[CACHE_STALE] = SCORE_CACHE_STALE,
	[CACHE_REFILL] = SCORE_CACHE_REFILL,
};

static int
serve_cached(struct server *s, const struct request_env *env,
    const struct request *req, struct buf *out)
{
	long fresh_ms = req->route->cache == ROUTE_BOARD
	    ? s->conf->cache_board_ms
	    : s->conf->cache_detail_ms;
	enum cache_state state;
	enum fill fill;
	uint64_t hash;

	buf_clear(&s->key);
	buf_addf(&s->key, "%s:", s->conf->cache_namespace);
	request_cache_key(req, &s->key);
	clear(&s->old);
	state = cache_get(s->cache, buf_str(&s->key), fresh_ms, &s->old);
	score_add(looked_up[state], 1);
	if (state == CACHE_FRESH)
		return respond(out, req, &s->old, false);
	/* Old, and somebody else refills; unless PostgreSQL is known away. */
	if (state == CACHE_STALE && score_db_away() == 0)
		return respond(out, req, &s->old, false);
	hash = XXH3_64bits(s->key.data, s->key.len);
	if (score_is_slow(hash))
		fill = FILL_SLOW;
	else if ((fill = ask(s, req)) == FILL_OK)
		cache_put(s->cache, buf_str(&s->key), &s->fresh);
	else if (fill == FILL_SLOW)
		score_slow(hash);
	if ((fill == FILL_AWAY || fill == FILL_SLOW) && state != CACHE_MISS) {
		score_add(SCORE_STALE_SERVED, 1);
		return respond(out, req, &s->old, true);
	}
	return send_fresh(s, env, req, fill, out);
}

static void
count(int status)
{
	score_add(status == 304 ? SCORE_REQUESTS_304
		: status < 300	? SCORE_REQUESTS_2XX
		: status < 500	? SCORE_REQUESTS_4XX
				: SCORE_REQUESTS_5XX,
	    1);
}

/* Adds the whole answer to out, whatever happens on the way. */
void
serve(struct server *s, const struct request_env *env, struct buf *out)
{
	int64_t start = clock_mono_us();
	struct request req;
	struct problem p;
	int status;

	cache_begin(s->cache);
	if (request_parse(&req, env, &p) == -1)
		status = refuse(env, &req, &p, out);
	else if (req.route->cache == ROUTE_UNCACHED)
		status = serve_uncached(s, env, &req, out);
	else
		status = serve_cached(s, env, &req, out);
	count(status);
	score_took(clock_mono_us() - start);
}

void
server_close(struct server *s)
{
	if (s == NULL)
		return;
	cache_close(s->cache);
	db_close(s->db);
	buf_free(&s->old.body);
	buf_free(&s->fresh.body);
	buf_free(&s->key);
	free(s);
}
