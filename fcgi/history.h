/* How an event's counts came about: one statement, rendered without I/O. */
#ifndef TURNOUT_FCGI_HISTORY_H
#define TURNOUT_FCGI_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "fcgi/answer.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "lib/db.h"

/* The yes RSVPs of one step, as they stand now. */
struct history_point {
	int64_t at_ms; /* where the step begins */
	int64_t rsvps;
	int64_t headcount;
};

struct history {
	struct answer answer;
	const char *event_id;
	int64_t step_ms;
	int64_t from_ms; /* DETAILS_ABSENT: no range, and no point */
	int64_t to_ms;
	size_t n;
	struct history_point *points;
	PGresult *res; /* owns the text */
};

enum fill history_load(struct history *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
void history_free(struct history *);
void history_json(struct response *, const struct history *);

#endif
