/*
 * The pool: a parent that keeps N workers alive on one socket, and one more on
 * a second socket for the operators' pages, so that these are answered when
 * all others are busy.
 */
#ifndef TURNOUT_FCGI_POOL_H
#define TURNOUT_FCGI_POOL_H

#include <stdbool.h>

#include "lib/attr.h"

struct buf;
struct fcgi_conf;

/* The sockets that the pool listens on; both do not block. */
struct pool_sockets {
	int answers;
	int status; /* -1 = there is none */
};

bool pool_handed_over(void);
int pool_listen(
    const struct fcgi_conf *, struct pool_sockets *, struct buf *why) MUSTCHECK;
int pool_run(struct fcgi_conf *, const char *path, const struct pool_sockets *);

#endif
