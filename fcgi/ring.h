/*
 * Which Redis node keeps a key: rendezvous hashing over the nodes' names, so
 * that their order does not matter and only a lost node's keys move.  Pure.
 */
#ifndef TURNOUT_FCGI_RING_H
#define TURNOUT_FCGI_RING_H

#include <stddef.h>

#include "lib/attr.h"

#define RING_MAX 16

struct ring_node {
	char *name; /* as it was configured: what is hashed */
	char *host; /* path of a Unix socket, or a numeric address */
	int port;   /* 0 = Unix socket */
};

struct ring {
	struct ring_node nodes[RING_MAX];
	int n;
};

int ring_init(struct ring *, const char *nodes, const char **why) MUSTCHECK;
int ring_node(const struct ring *, const char *key, size_t len);
void ring_free(struct ring *);

#endif
