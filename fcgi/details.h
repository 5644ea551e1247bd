/*
 * An event as boards and pages show it: details, counts, group and venue.
 * All text is borrowed from whoever owns the rows, and may be hostile.
 */
#ifndef TURNOUT_FCGI_DETAILS_H
#define TURNOUT_FCGI_DETAILS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"

struct buf;

#define DETAILS_ABSENT (-1)
#define DETAILS_COLUMNS 16 /* event_id, and those of DETAILS_SQL */

struct details_group {
	int64_t group_id; /* DETAILS_ABSENT: no group is known */
	const char *name; /* this and the rest: NULL = absent */
	const char *urlname;
	const char *city;
	const char *state;
	const char *country;
};

struct details_venue {
	int64_t venue_id; /* DETAILS_ABSENT: no venue */
	const char *name; /* NULL = absent */
	bool located;	  /* lat and lon are there */
	double lat;	  /* degrees north */
	double lon;	  /* degrees east */
};

struct details_event {
	const char *event_id;
	const char *name;  /* NULL = absent */
	const char *url;   /* as it was sent; NULL = absent */
	int64_t starts_ms; /* DETAILS_ABSENT, or since 1970 */
	int64_t rsvps;
	int64_t headcount;
	struct details_group group;
	struct details_venue venue;
};

/* The columns of an event, from c (counts), e, g and v, in this order. */
/* clang-format off */
#define DETAILS_SQL \
	"e.name, e.url, e.starts_ms," \
	" coalesce(c.rsvps, 0), coalesce(c.headcount, 0)," \
	" e.group_id, g.name, g.urlname, g.city, g.state, g.country," \
	" e.venue_id, v.name, v.lat, v.lon"
#define DETAILS_JOINS \
	" LEFT JOIN turnout.groups AS g ON g.group_id = e.group_id" \
	" LEFT JOIN turnout.venues AS v ON v.venue_id = e.venue_id"
/* clang-format on */

const char *details_text(const PGresult *, int row, int column);
int64_t details_number(const PGresult *, int row, int column);
bool
details_place(const PGresult *, int row, int column, double *lat, double *lon);
void
details_from_row(struct details_event *, const PGresult *, int row, int column);
void details_json_summary(struct buf *, const struct details_event *);
void details_json(struct buf *, const struct details_event *);
void details_html_place(struct buf *, const struct details_group *);

#endif
