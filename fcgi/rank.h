/* An event's place on a board: one statement, rendered without I/O. */
#ifndef TURNOUT_FCGI_RANK_H
#define TURNOUT_FCGI_RANK_H

#include <stdbool.h>
#include <stddef.h>

#include "fcgi/answer.h"
#include "fcgi/details.h"
#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "lib/db.h"

#define RANK_BEYOND 1000 /* how far down a rank is told */
#define RANK_ENTRIES_MAX (2 * REQUEST_AROUND_MAX + 1)

struct rank_entry {
	int rank; /* 0 = beyond RANK_BEYOND */
	struct details_event event;
};

struct rank {
	struct topk_query query; /* from and to are those that were used */
	int around;
	struct answer answer;
	const char *event_id;
	bool placed; /* it is on the board; else there are no entries */
	int rank;    /* its own */
	size_t n;
	struct rank_entry entries[RANK_ENTRIES_MAX]; /* in board order */
	PGresult *res;				     /* owns the text */
};

enum fill rank_load(struct rank *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
void rank_free(struct rank *);
void rank_json(struct response *, const struct rank *);

#endif
