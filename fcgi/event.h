/* One event by its id: loaded with one statement, rendered without I/O. */
#ifndef TURNOUT_FCGI_EVENT_H
#define TURNOUT_FCGI_EVENT_H

#include "fcgi/answer.h"
#include "fcgi/details.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "lib/db.h"

struct event {
	struct answer answer;
	struct details_event details;
	PGresult *res; /* owns the text */
};

enum fill event_load(struct event *, const char *event_id, struct db *,
    int timeout_ms) MUSTCHECK;
void event_free(struct event *);
void event_json(struct response *, const struct event *);

#endif
