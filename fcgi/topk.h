/*
 * A board: the events with the most current yes RSVPs, or people.  It is
 * loaded with one statement, so from one snapshot; rendering does no I/O.
 */
#ifndef TURNOUT_FCGI_TOPK_H
#define TURNOUT_FCGI_TOPK_H

#include <stdbool.h>
#include <stddef.h>

#include "fcgi/answer.h"
#include "fcgi/details.h"
#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "lib/db.h"

struct topk_entry {
	int rank; /* from 1; equal counts share the first of their places */
	/* In the range before, of equal length; 0 = not among its first 100. */
	int previous_rank;
	struct details_event event;
};

struct topk {
	struct topk_query query; /* from and to are those that were used */
	struct answer answer;
	bool tie_at_cutoff; /* the first one left out counts as much */
	size_t n;	    /* at most query.k */
	struct topk_entry *entries;
	PGresult *res; /* owns the text */
};

enum fill topk_load(struct topk *, const struct topk_query *, bool previous,
    struct db *, int timeout_ms) MUSTCHECK;
void topk_free(struct topk *);
void topk_json(struct response *, const struct topk *);
void topk_csv(struct response *, const struct topk *);
void topk_html(struct response *, const struct topk *);

#endif
