/*
 * An event's page: its details, how its counts came about, its place among
 * the others, and what else its group holds.  One statement.
 */
#ifndef TURNOUT_FCGI_EVENT_PAGE_H
#define TURNOUT_FCGI_EVENT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgi/event.h"
#include "fcgi/history.h"
#include "fcgi/on.h"
#include "fcgi/rank.h"

#define EVENT_DAYS_MAX 400 /* days with an RSVP that are shown */
#define EVENT_WINDOWS 3
#define EVENT_AROUND 3 /* neighbours each side */
#define EVENT_OTHERS 6 /* of a part of the group's other events */

/* Its place in a window.  All zero but window_ms: not known now. */
struct event_window {
	int64_t window_ms;
	bool absent;  /* it has no RSVP in it */
	int64_t rank; /* 0: see beyond */
	int64_t beyond;
	int64_t rsvps;
	int64_t headcount;
};

struct event_page {
	struct event event;
	size_t ndays;
	struct history_point days[EVENT_DAYS_MAX]; /* latest first */
	bool days_cut; /* there were days before them */
	size_t nwindows;
	struct event_window windows[EVENT_WINDOWS];
	size_t nneighbours; /* on the board of all time, in its order */
	struct rank_entry neighbours[2 * EVENT_AROUND + 1];
	struct on others;
};

enum fill event_page_load(struct event_page *, const char *event_id,
    struct db *, int timeout_ms) MUSTCHECK;
void event_page_free(struct event_page *);
void event_page_html(struct response *, const struct event_page *);
void event_history_html(struct buf *, const struct event_page *);
void event_ranks_html(struct buf *, const struct event_page *);

#endif
