/*
 * The board that is asked for: how many, by what, when, and of which events.
 */
#ifndef TURNOUT_FCGI_TOPK_QUERY_H
#define TURNOUT_FCGI_TOPK_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#define TOPK_K_MAX 1000
#define TOPK_K_PRESET 10
#define TOPK_TEXT_MAX 100 /* characters of a city, an urlname, a topic */
#define TOPK_TEXT_SIZE (4 * TOPK_TEXT_MAX + 1)

enum topk_by {
	TOPK_BY_RSVPS,	   /* current yes RSVPs */
	TOPK_BY_HEADCOUNT, /* people: 1 + guests of each */
};

enum topk_when {
	TOPK_WHEN_ANY,
	TOPK_WHEN_UPCOMING, /* the event starts now or later */
	TOPK_WHEN_WEEK,	    /* and before seven days are over */
	TOPK_WHEN_PAST,	    /* it has started */
};

enum range_kind {
	RANGE_ALL,     /* all time */
	RANGE_SLIDING, /* a window that ends when it is answered */
	RANGE_WINDOW,  /* a window that ends at to */
	RANGE_DAY,     /* a day, UTC */
	RANGE_FROM_TO,
};

/* The RSVPs that count: from <= mtime < to. */
struct range {
	enum range_kind kind;
	char window[8];	   /* as it was given: "24h"; "" = none */
	int64_t window_ms; /* its length; 0 = none */
	/* Unset of RANGE_ALL, and of RANGE_SLIDING until it is answered. */
	int64_t from_ms;
	int64_t to_ms;
};

/* The events that count; "", 0 and TOPK_WHEN_ANY leave nobody out. */
struct filter {
	char country[3]; /* two lower-case letters */
	char city[TOPK_TEXT_SIZE];
	int64_t group_id;
	char group_urlname[TOPK_TEXT_SIZE];
	char topic[TOPK_TEXT_SIZE]; /* its urlkey */
	enum topk_when when;
};

struct topk_query {
	int k; /* 1..TOPK_K_MAX */
	enum topk_by by;
	struct range range;
	struct filter filter;
};

struct answer_gap;
struct args;
struct buf;

/*
 * The arguments of a function on boards, from the parameters $1 to $10 that
 * topk_query_args() makes.  Beside a, the row of ANSWER_SQL: a sliding window
 * ends, and upcoming begins, when the answer is made.
 */
/* clang-format off */
#define TOPK_QUERY_PARAMS 10
#define TOPK_QUERY_RANGE_SQL \
	"coalesce($2::bigint, a.as_of_ms - $10::bigint)," \
	" coalesce($3::bigint, a.as_of_ms + 0 * $10::bigint)"
#define TOPK_QUERY_FILTER_SQL \
	"$4::text, $5::text, $6::bigint, $7::text, $8::text, $9::text," \
	" a.as_of_ms"
/* clang-format on */

/* Is told a parameter: its name, and its value as a client would send it. */
typedef void topk_query_tell(struct buf *, const char *name, const char *value);

const char *topk_by_name(enum topk_by);
const char *topk_when_name(enum topk_when);
bool filter_given(const struct filter *);
void topk_query_args(struct args *, const struct topk_query *);
struct answer_gap topk_query_json(struct buf *, const struct topk_query *);
void filter_each(struct buf *, const struct filter *, topk_query_tell *);
void
topk_query_each(struct buf *, const struct topk_query *, topk_query_tell *);
void topk_query_key(struct buf *, const struct topk_query *);

#endif
