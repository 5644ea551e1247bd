/*
 * The Redis ring; see cache.h.  Each key has one node, each node a connection
 * and a breaker.  A dead node's keys go to PostgreSQL: nothing is moved.
 *
 * hiredis 0.14 is driven by hand: non-blocking, with one deadline for all of
 * a request, because its own timeouts count per read.  After any fault the
 * connection is thrown away; one that is used again would give the answer to
 * an earlier question.
 */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "fcgi/breaker.h"
#include "fcgi/cache.h"
#include "fcgi/envelope.h"
#include "fcgi/fcgi_conf.h"
#include "fcgi/ring.h"
#include "fcgi/scoreboard.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/xalloc.h"

#define REPLY_MAX (4 * 1024 * 1024) /* bytes; more is not ours */
#define QUIET_MS                                                               \
	5000 /* a body older than fresh by this is nobody's to pass off */
#define LOCK_MS "2000" /* a refiller that died lets go after this */

struct node {
	redisContext *ctx; /* NULL = not connected */
	struct breaker breaker;
	struct log_trouble trouble;
};

struct cache {
	const struct fcgi_conf *conf;
	struct ring ring;
	struct node nodes[RING_MAX];
	char *password;	     /* NULL = none */
	int64_t left_us;     /* of this request's time for Redis */
	int64_t deadline_ms; /* of the call in hand, from that */
	bool locked;	     /* this request holds the lock of its key */
	struct buf value;
};

static char *
read_password(const char *path)
{
	char text[512];
	FILE *f;
	size_t n;

	if (path[0] == '\0')
		return NULL;
	if ((f = fopen(path, "re")) == NULL) {
		log_error("could not open redis.password_file \"%s\": %s; "
			  "going on without a password",
		    path, strerror(errno));
		return NULL;
	}
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	return xstrdup(text);
}

/* The configuration is borrowed and was checked by fcgi_conf_load(). */
struct cache *
cache_open(const struct fcgi_conf *conf)
{
	struct cache *c = xcalloc(1, sizeof(*c));
	const char *why;
	int i;

	c->conf = conf;
	if (ring_init(&c->ring, conf->redis_nodes, &why) == -1)
		die(1, "redis.nodes: %s", why);
	for (i = 0; i < c->ring.n; i++) {
		c->nodes[i].trouble.what = c->ring.nodes[i].name;
		score_node_name(i, c->ring.nodes[i].name);
	}
	c->password = read_password(conf->redis_password_file);
	return c;
}

/* A request begins: all its Redis work shares redis.timeout_ms. */
void
cache_begin(struct cache *c)
{
	c->left_us = c->conf->redis_timeout_ms * 1000L;
	c->locked = false;
}

/* Redis work begins; what PostgreSQL took since the last one is not ours. */
static int64_t
start_clock(struct cache *c)
{
	int64_t now_us = clock_mono_us();

	c->deadline_ms = (now_us + c->left_us) / 1000;
	return now_us;
}

static void
stop_clock(struct cache *c, int64_t started_us)
{
	c->left_us -= clock_mono_us() - started_us;
}

/* Throws the connection away; the node is not to blame. */
static void
drop(struct node *node)
{
	if (node->ctx != NULL)
		redisFree(node->ctx);
	node->ctx = NULL;
}

static void
fail(struct cache *c, int i, const char *why)
{
	struct node *node = &c->nodes[i];

	score_add(SCORE_REDIS_ERRORS, 1);
	log_trouble(&node->trouble, "Redis %s: %s; going on without it",
	    c->ring.nodes[i].name, why);
	drop(node);
	breaker_failed(
	    &node->breaker, clock_mono_ms(), c->conf->redis_retry_ms);
	score_node(i, node->breaker.open_until_ms);
}

/* Waits for the socket; -1 with the node failed when time is up. */
static int
wait_for(struct cache *c, int i, short events)
{
	struct pollfd pfd = { .fd = c->nodes[i].ctx->fd, .events = events };
	int n;

	do {
		n = poll(&pfd, 1, clock_left_ms(c->deadline_ms));
	} while (n == -1 && errno == EINTR);
	if (n == 1)
		return 0;
	fail(c, i, "no answer in time");
	return -1;
}

static int
send_all(struct cache *c, int i)
{
	int done = 0;

	while (!done) {
		if (redisBufferWrite(c->nodes[i].ctx, &done) != REDIS_OK) {
			fail(c, i, c->nodes[i].ctx->errstr);
			return -1;
		}
		if (!done && wait_for(c, i, POLLOUT) == -1)
			return -1;
	}
	return 0;
}

/* The reply, to be freed; NULL with the node failed, or the connection gone
 * when a value is none of ours by its size: that may be overwritten. */
static redisReply *
receive(struct cache *c, int i)
{
	redisContext *ctx = c->nodes[i].ctx;
	size_t got = 0, before;
	void *reply = NULL;

	for (;;) {
		if (redisGetReplyFromReader(ctx, &reply) != REDIS_OK) {
			fail(c, i, ctx->errstr);
			return NULL;
		}
		if (reply != NULL && ctx->reader->pos == ctx->reader->len)
			return reply;
		if (reply != NULL) {
			freeReplyObject(reply);
			fail(c, i, "an answer to no question");
			return NULL;
		}
		if (wait_for(c, i, POLLIN) == -1)
			return NULL;
		before = ctx->reader->len;
		if (redisBufferRead(ctx) != REDIS_OK) {
			fail(c, i, ctx->errstr);
			return NULL;
		}
		got += ctx->reader->len > before ? ctx->reader->len - before
						 : 16;
		if (got > REPLY_MAX) {
			score_add(SCORE_CACHE_BAD, 1);
			drop(&c->nodes[i]);
			return NULL;
		}
	}
}

/* A key is no string: its fault, not the node's. */
static bool
is_wrong_type(const redisReply *reply)
{
	return strncmp(reply->str, "WRONGTYPE", 9) == 0;
}

/* Sends argv and takes the reply; an error reply fails the node too, unless
 * it tells of this key only. */
static redisReply *
command(
    struct cache *c, int i, int argc, const char **argv, const size_t *lengths)
{
	redisReply *reply;

	if (redisAppendCommandArgv(c->nodes[i].ctx, argc, argv, lengths) !=
	    REDIS_OK) {
		fail(c, i, c->nodes[i].ctx->errstr);
		return NULL;
	}
	if (send_all(c, i) == -1 || (reply = receive(c, i)) == NULL)
		return NULL;
	if (reply->type != REDIS_REPLY_ERROR || is_wrong_type(reply))
		return reply;
	/* OOM, READONLY, LOADING, NOAUTH: no use to us now. */
	fail(c, i, reply->str);
	freeReplyObject(reply);
	return NULL;
}

static int
authenticate(struct cache *c, int i)
{
	const char *argv[3] = { "AUTH" };
	size_t lengths[3] = { 4 };
	redisReply *reply;
	int argc = 1, n;

	if (c->password == NULL)
		return 0;
	if (c->conf->redis_user[0] != '\0')
		argv[argc++] = c->conf->redis_user;
	argv[argc++] = c->password;
	for (n = 1; n < argc; n++)
		lengths[n] = strlen(argv[n]);
	if ((reply = command(c, i, argc, argv, lengths)) == NULL)
		return -1;
	freeReplyObject(reply);
	return 0;
}

static int
connect_node(struct cache *c, int i)
{
	const struct ring_node *to = &c->ring.nodes[i];
	struct node *node = &c->nodes[i];
	socklen_t len = sizeof(int);
	int err = 0;

	node->ctx = to->port == 0 ? redisConnectUnixNonBlock(to->host)
				  : redisConnectNonBlock(to->host, to->port);
	if (node->ctx == NULL || node->ctx->err != 0) {
		fail(c, i,
		    node->ctx == NULL ? "out of memory" : node->ctx->errstr);
		return -1;
	}
	if (wait_for(c, i, POLLOUT) == -1)
		return -1;
	if (getsockopt(node->ctx->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1 ||
	    err != 0) {
		fail(c, i, strerror(err != 0 ? err : errno));
		return -1;
	}
	node->ctx->flags |= REDIS_CONNECTED;
	return authenticate(c, i);
}

/* Before an idle connection is used again: what it has to say now would be
 * taken for the answer to the next question.  -1 = the node failed. */
static int
check_idle(struct cache *c, int i)
{
	struct node *node = &c->nodes[i];
	char byte;
	ssize_t n;

	if (node->ctx == NULL)
		return 0;
	n = recv(node->ctx->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (n > 0) {
		fail(c, i, "an answer to no question");
		return -1;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR))
		drop(node); /* it was closed; a new one may work */
	return 0;
}

/* The key's node, connected; -1 = go without. */
static int
pick(struct cache *c, const char *key)
{
	int i = ring_node(&c->ring, key, strlen(key));

	if (i == -1 || c->left_us <= 0 ||
	    !breaker_allows(&c->nodes[i].breaker, clock_mono_ms()))
		return -1;
	if (check_idle(c, i) == -1)
		return -1;
	if (c->nodes[i].ctx == NULL && connect_node(c, i) == -1)
		return -1;
	return i;
}

static void
worked(struct cache *c, int i)
{
	breaker_worked(&c->nodes[i].breaker);
	score_node(i, 0);
	log_trouble_over(&c->nodes[i].trouble);
}

static redisReply *
set_lock(struct cache *c, int i, const char *key, const char *ms, bool only_new)
{
	const char *argv[6] = { "SET", NULL, "1", "PX", ms, "NX" };
	size_t lengths[6] = { 3, 0, 1, 2, strlen(ms), 2 };
	struct buf name = { 0 };
	redisReply *reply;

	/* A key begins with the namespace and ":t1|". */
	buf_addf(&name, "%s:lock|%s", c->conf->cache_namespace, key);
	argv[1] = buf_str(&name);
	lengths[1] = name.len;
	reply = command(c, i, only_new ? 6 : 5, argv, lengths);
	buf_free(&name);
	return reply;
}

/* Takes the lock of a key, so that one worker refills and the rest do not;
 * a node that fails locks nobody out. */
static bool
take_lock(struct cache *c, int i, const char *key)
{
	redisReply *reply = set_lock(c, i, key, LOCK_MS, true);

	if (reply == NULL)
		return true;
	c->locked = reply->type == REDIS_REPLY_STATUS;
	freeReplyObject(reply);
	return c->locked;
}

/* It ends by itself; by then the next refill would be late. */
static void
let_go(struct cache *c, int i, const char *key)
{
	freeReplyObject(set_lock(c, i, key, "1", false));
	c->locked = false;
}

static enum cache_state
get(struct cache *c, const char *key, int64_t fresh_ms, struct response *r)
{
	const char *argv[2] = { "GET", key };
	size_t lengths[2] = { 3, strlen(key) };
	redisReply *reply;
	int64_t age;
	int i, rc = -1;

	if ((i = pick(c, key)) == -1 ||
	    (reply = command(c, i, 2, argv, lengths)) == NULL)
		return CACHE_MISS;
	worked(c, i);
	if (reply->type == REDIS_REPLY_STRING)
		rc = envelope_decode(r, key, reply->str, (size_t)reply->len,
		    clock_wall_ms(), c->conf->cache_stale_ms, &age);
	if (rc == -1 && reply->type != REDIS_REPLY_NIL) {
		score_add(SCORE_CACHE_BAD, 1);
		/* It may have been the answer to another question. */
		drop(&c->nodes[i]);
	}
	freeReplyObject(reply);
	if (rc == -1)
		return CACHE_MISS;
	if (age <= fresh_ms)
		return CACHE_FRESH;
	if (age > fresh_ms + QUIET_MS)
		return CACHE_REFILL;
	return take_lock(c, i, key) ? CACHE_REFILL : CACHE_STALE;
}

/*
 * Looks a key up.  *r (zeroed) is filled in every state but CACHE_MISS; a
 * value older than cache.stale_ms is never one.
 */
enum cache_state
cache_get(
    struct cache *c, const char *key, int64_t fresh_ms, struct response *r)
{
	int64_t started_us = start_clock(c);
	enum cache_state state = get(c, key, fresh_ms, r);

	stop_clock(c, started_us);
	return state;
}

static void
put(struct cache *c, const char *key, const struct response *r)
{
	char ms[24];
	const char *argv[5] = { "SET", key, NULL, "PX", ms };
	size_t lengths[5] = { 3, strlen(key), 0, 2, 0 };
	redisReply *reply;
	int i;

	buf_clear(&c->value);
	if ((i = pick(c, key)) == -1 ||
	    envelope_encode(&c->value, key, r, clock_wall_ms()) == -1)
		return;
	lengths[4] = (size_t)snprintf(
	    ms, sizeof(ms), "%ld", c->conf->cache_stale_ms);
	argv[2] = c->value.data;
	lengths[2] = c->value.len;
	if ((reply = command(c, i, 5, argv, lengths)) == NULL)
		return;
	worked(c, i);
	freeReplyObject(reply);
	if (c->locked)
		let_go(c, i, key);
}

/* Keeps a response until cache.stale_ms from now, and lets its lock go. */
void
cache_put(struct cache *c, const char *key, const struct response *r)
{
	int64_t started_us = start_clock(c);

	put(c, key, r);
	stop_clock(c, started_us);
}

void
cache_close(struct cache *c)
{
	int i;

	if (c == NULL)
		return;
	for (i = 0; i < c->ring.n; i++)
		if (c->nodes[i].ctx != NULL)
			redisFree(c->nodes[i].ctx);
	ring_free(&c->ring);
	if (c->password != NULL)
		explicit_bzero(c->password, strlen(c->password));
	free(c->password);
	buf_free(&c->value);
	free(c);
}
