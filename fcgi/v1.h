/*
 * The API of the Go original, for its clients: frozen.  Its JSON and its
 * names stay as they are, whatever becomes of ours.  What is absent is "" or
 * 0, because its clients decode into strings and numbers; an event without a
 * venue has a null Venue, and a board without events is [].
 */
#ifndef TURNOUT_FCGI_V1_H
#define TURNOUT_FCGI_V1_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi/answer.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "fcgi/topk.h"
#include "lib/db.h"

struct v1_place {
	int64_t id;	  /* DETAILS_ABSENT: there is none */
	const char *name; /* NULL = absent */
	bool located;	  /* lat and lon are there */
	double lat;
	double lon;
};

struct v1_info {
	struct answer answer;
	struct v1_place group;
	const char
	    *urlname; /* this and the rest, of the group: NULL = absent */
	const char *city;
	const char *state;
	const char *country;
	const char *topics; /* a JSON array, as PostgreSQL gives it */
	struct v1_place venue;
	PGresult *res; /* owns the text */
};

void v1_topk_json(struct response *, const struct topk *);
void v1_info_json(struct response *, const struct v1_info *);

#endif
