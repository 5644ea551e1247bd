/*
 * A group, a venue or a member by its id, the first two with their busiest
 * events: loaded with one statement, rendered without I/O.
 */
#ifndef TURNOUT_FCGI_THING_H
#define TURNOUT_FCGI_THING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgi/answer.h"
#include "fcgi/details.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "lib/db.h"

#define THING_EVENTS_MAX 10
#define THING_COLUMNS 10 /* id to photo */

enum thing_kind {
	THING_GROUP,
	THING_VENUE,
	THING_MEMBER,
};

/* What a kind does not have is NULL or zero. */
struct thing {
	enum thing_kind kind;
	struct answer answer;
	int64_t id;
	const char *name; /* this and all text: NULL = absent */
	const char *urlname;
	const char *city;
	const char *state;
	const char *country;
	const char *topics; /* a JSON array, as PostgreSQL gives it */
	const char *photo;
	bool located; /* lat and lon are there */
	double lat;
	double lon;
	size_t n;
	struct details_event events[THING_EVENTS_MAX]; /* group, venue unset */
	PGresult *res;				       /* owns the text */
};

enum fill thing_load(struct thing *, enum thing_kind, int64_t id, struct db *,
    int timeout_ms) MUSTCHECK;
void thing_from_row(struct thing *, const PGresult *);
void thing_free(struct thing *);
void thing_json(struct response *, const struct thing *);

#endif
