/* The query string: split, decoded once, each parameter taken once.  Pure. */
#ifndef TURNOUT_FCGI_QUERY_H
#define TURNOUT_FCGI_QUERY_H

#include "lib/attr.h"

struct problem;
struct request;

int query_take(struct request *, const char *query, struct problem *) MUSTCHECK;
void query_too_wide(const struct request *, struct problem *);

#endif
