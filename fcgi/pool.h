/* The pool: a parent that keeps N workers alive on one socket. */
#ifndef TURNOUT_FCGI_POOL_H
#define TURNOUT_FCGI_POOL_H

#include <stdbool.h>

#include "lib/attr.h"

struct buf;
struct fcgi_conf;

bool pool_handed_over(void);
int pool_listen(const struct fcgi_conf *, struct buf *why) MUSTCHECK;
int pool_run(struct fcgi_conf *, const char *path, int listen_fd);

#endif
