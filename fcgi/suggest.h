/*
 * What the form of the board suggests.  Each worker keeps it for a minute: it
 * changes slowly, and is no part of what the board answers.
 */
#ifndef TURNOUT_FCGI_SUGGEST_H
#define TURNOUT_FCGI_SUGGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"

#define SUGGEST_MAX 40 /* of each kind */

struct suggestion {
	const char *kind;  /* "city", "country", "topic" */
	const char *value; /* what the parameter takes */
	const char *name;  /* a city's country, a topic's name; NULL = none */
	int64_t groups;
	bool whole; /* there are no more groups than that */
};

struct suggestions {
	size_t n;
	struct suggestion all[3 * SUGGEST_MAX];
};

const struct suggestions *suggest_get(struct db *, int timeout_ms);

#endif
