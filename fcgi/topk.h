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
#include "fcgi/plot.h"
#include "fcgi/request.h"
#include "fcgi/response.h"
#include "fcgi/route.h"
#include "fcgi/suggest.h"
#include "lib/db.h"

struct topk_entry {
	int rank; /* from 1; equal counts share the first of their places */
	/* In the range before, of equal length; 0 = not among its first 100. */
	int previous_rank;
	struct details_event event;
	/* Of a page: RSVPs by the hour, from hours_from_ms of the board on. */
	bool plotted;
	int hours[PLOT_HOURS];
};

#define TOPK_PLOTS_MAX 100 /* a longer page has no plots */
#define TOPK_TIED_MAX 100  /* how far those tied at the cut are counted */

struct topk {
	struct topk_query query; /* from and to are those that were used */
	struct answer answer;
	bool tie_at_cutoff; /* the first one left out counts as much */
	size_t n;	    /* at most query.k */
	struct topk_entry *entries;
	/* Of a page only. */
	int tied; /* as many more tie, up to TOPK_TIED_MAX; -1: not counted */
	int64_t first_ms; /* the earliest RSVP; DETAILS_ABSENT: there is none */
	int64_t last_ms;  /* the latest one */
	int64_t hours_from_ms;
	const struct suggestions *suggested; /* borrowed; NULL = none */
	PGresult *res;			     /* owns the text */
};

/* What is asked for beyond the board. */
enum topk_want {
	TOPK_WANT_BOARD,
	TOPK_WANT_PREVIOUS, /* the ranks in the range before, if any */
	TOPK_WANT_PAGE,	    /* that, and all a page shows */
};

enum fill topk_load(struct topk *, const struct topk_query *, enum topk_want,
    struct db *, int timeout_ms) MUSTCHECK;
void topk_free(struct topk *);
void topk_json(struct response *, const struct topk *);
void topk_csv(struct response *, const struct topk *);
void topk_html(struct response *, const struct topk *);

#endif
