/* The configuration of turnout-fcgi; see fcgi_conf.h. */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "fcgi/fcgi_conf.h"
#include "fcgi/ring.h"
#include "lib/conf.h"

static const char *const levels[] = { "error", "warn", "info", "debug", NULL };

#define AT(field) offsetof(struct fcgi_conf, field)

/* clang-format off */
static const struct conf_key keys[] = {
	{ "fcgi.listen", CONF_STRING, AT(listen), 0, 0, "/run/turnout/fcgi.sock", NULL, "Unix socket that nginx connects to" },
	{ "fcgi.mode", CONF_STRING, AT(mode), 0, 0, "0660", NULL, "its mode, octal: who may connect can crash a worker" },
	{ "fcgi.group", CONF_STRING, AT(group), 0, 0, "", NULL, "its group; empty = that of the process" },
	{ "fcgi.backlog", CONF_NUMBER, AT(backlog), 1, 65535, "511", NULL, "connections that may wait for a worker" },
	{ "fcgi.status", CONF_STRING, AT(status), 0, 0, "/run/turnout/status.sock", NULL, "Unix socket of the operators' pages, with a worker of its own; empty = none" },
	{ "pool.workers", CONF_NUMBER, AT(workers), 1, 256, "4", NULL, "processes that answer" },
	{ "pool.max_requests", CONF_NUMBER, AT(max_requests), 1, 1000000000, "10000", NULL, "requests after which a worker is replaced" },
	{ "pool.request_timeout_ms", CONF_NUMBER, AT(request_timeout_ms), 100, 600000, "3000", NULL, "a worker busy longer is killed, ms" },
	{ "pool.stop_timeout_ms", CONF_NUMBER, AT(stop_timeout_ms), 100, 600000, "10000", NULL, "longest wait for workers at a stop, ms" },
	{ "pg.conninfo", CONF_STRING, AT(pg_conninfo), 0, 0, "dbname=turnout user=turnout_web", NULL, "libpq connection string" },
	{ "pg.timeout_ms", CONF_NUMBER, AT(pg_timeout_ms), 10, 60000, "1000", NULL, "longest wait for an answer of PostgreSQL, ms; a request waits at most twice as long" },
	{ "redis.nodes", CONF_STRING, AT(redis_nodes), 0, 0, "", NULL, "unix:/path or address:port, separated by spaces; empty = no cache" },
	{ "redis.user", CONF_STRING, AT(redis_user), 0, 0, "", NULL, "ACL user; empty = the default one" },
	{ "redis.password_file", CONF_STRING, AT(redis_password_file), 0, 0, "", NULL, "file with the password; empty = none" },
	{ "redis.timeout_ms", CONF_NUMBER, AT(redis_timeout_ms), 1, 1000, "20", NULL, "longest wait for Redis in a request, all nodes, ms" },
	{ "redis.retry_ms", CONF_NUMBER, AT(redis_retry_ms), 10, 60000, "1000", NULL, "how long a node is left alone after a fault, ms" },
	{ "cache.namespace", CONF_STRING, AT(cache_namespace), 0, 0, "turnout", NULL, "prefix of every key" },
	{ "cache.board_ms", CONF_NUMBER, AT(cache_board_ms), 0, 60000, "1000", NULL, "how long a board is fresh, ms" },
	{ "cache.detail_ms", CONF_NUMBER, AT(cache_detail_ms), 0, 3600000, "60000", NULL, "how long an event, group, venue or member is fresh, ms" },
	{ "cache.stale_ms", CONF_NUMBER, AT(cache_stale_ms), 1000, 86400000, "300000", NULL, "how long an answer may stand in while PostgreSQL is away, ms" },
	{ "log.level", CONF_CHOICE, AT(log_level), 0, 0, "info", levels, "least important level that is logged" },
};
/* clang-format on */

/* A password that others may read is none. */
static int
check_password_file(const char *name, const char *path, struct buf *why)
{
	struct stat st;

	if (name[0] == '\0')
		return 0;
	if (stat(name, &st) == -1) {
		buf_addf(why, "%s: \"redis.password_file\": \"%s\": %s", path,
		    name, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		buf_addf(why,
		    "%s: \"redis.password_file\": \"%s\" must be a file that "
		    "only its owner may read",
		    path, name);
		return -1;
	}
	return 0;
}

/* What one key alone cannot say. */
static int
check(const struct fcgi_conf *conf, const char *path, struct buf *why)
{
	struct ring ring;
	const char *reason;

	if (conf->mode[0] == '\0' || strlen(conf->mode) > 4 ||
	    strspn(conf->mode, "01234567") != strlen(conf->mode)) {
		buf_addf(why,
		    "%s: \"fcgi.mode\" must be an octal mode, not "
		    "\"%s\"",
		    path, conf->mode);
		return -1;
	}
	if (strcmp(conf->status, conf->listen) == 0) {
		buf_addf(why,
		    "%s: \"fcgi.status\" must be another socket than "
		    "\"fcgi.listen\", not \"%s\"",
		    path, conf->status);
		return -1;
	}
	if (ring_init(&ring, conf->redis_nodes, &reason) == -1) {
		buf_addf(why, "%s: \"redis.nodes\": %s, in \"%s\"", path,
		    reason, conf->redis_nodes);
		return -1;
	}
	ring_free(&ring);
	if (FCGI_CONF_PG_WAITS * conf->pg_timeout_ms + conf->redis_timeout_ms >=
	    conf->request_timeout_ms) {
		buf_addf(why,
		    "%s: \"pool.request_timeout_ms\" must be more than "
		    "twice \"pg.timeout_ms\" and \"redis.timeout_ms\", not "
		    "%ld: a worker that waits for them would be killed",
		    path, conf->request_timeout_ms);
		return -1;
	}
	return check_password_file(conf->redis_password_file, path, why);
}

/*
 * Loads the file at path; NULL = the default one, which may be absent.
 * Returns 0, or -1 with the complaint in *why and nothing to be freed.
 */
int
fcgi_conf_load(struct fcgi_conf *conf, const char *path, struct buf *why)
{
	memset(conf, 0, sizeof(*conf));
	path = conf_path(path, FCGI_CONF_PATH);
	if (conf_load(conf, keys, NITEMS(keys), path, why) == -1)
		return -1;
	if (check(conf, path == NULL ? "environment" : path, why) == -1) {
		fcgi_conf_free(conf);
		return -1;
	}
	return 0;
}

void
fcgi_conf_free(struct fcgi_conf *conf)
{
	conf_free(conf, keys, NITEMS(keys));
}
