/* The configuration of turnout-fcgi: one table, one struct. */
#ifndef TURNOUT_FCGI_CONF_H
#define TURNOUT_FCGI_CONF_H

#include "lib/attr.h"
#include "lib/buf.h"

/* A request waits for PostgreSQL at most so many times pg_timeout_ms. */
#define FCGI_CONF_PG_WAITS 2

/* The file that is read where none is named, if it is there. */
#define FCGI_CONF_PATH SYSCONFDIR "/turnout/turnout-fcgi.conf"

struct fcgi_conf {
	char *listen; /* path of the Unix socket */
	char *mode;   /* octal */
	char *group;  /* "" = that of the process */
	long backlog;
	char *status; /* path of the operators' socket; "" = none */
	long workers;
	long max_requests;
	long request_timeout_ms;
	long stop_timeout_ms;
	char *pg_conninfo;
	long pg_timeout_ms;
	char *redis_nodes; /* separated by spaces; "" = no cache */
	char *redis_user;
	char *redis_password_file;
	long redis_timeout_ms;
	long redis_retry_ms;
	char *cache_namespace;
	long cache_board_ms;
	long cache_detail_ms;
	long cache_stale_ms;
	int log_level; /* enum log_level */
};

int
fcgi_conf_load(struct fcgi_conf *, const char *path, struct buf *why) MUSTCHECK;
void fcgi_conf_free(struct fcgi_conf *);

#endif
