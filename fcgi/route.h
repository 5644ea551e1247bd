/*
 * The table of what Turnout serves: a path, its kind, who fills the answer.
 */
#ifndef TURNOUT_FCGI_ROUTE_H
#define TURNOUT_FCGI_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/attr.h"

struct db;
struct request;
struct response;

enum fill {
	FILL_OK,	/* the response is there: status 200 */
	FILL_NOT_FOUND, /* no such id: 404; nginx keeps it for a second */
	FILL_SLOW,	/* PostgreSQL gave it up: a stale body or 503 */
	FILL_AWAY,	/* PostgreSQL did not answer: a stale body or 503 */
	FILL_BUG, /* we asked something wrong: 500, db_errstr() is logged */
};

enum route_cache {
	ROUTE_UNCACHED, /* health, metrics */
	ROUTE_BOARD,	/* cache.board_ms */
	ROUTE_DETAIL,	/* cache.detail_ms */
};

enum route_id {
	ROUTE_ID_NONE,	 /* the path takes no id */
	ROUTE_ID_EVENT,	 /* an event id: text */
	ROUTE_ID_NUMBER, /* a positive 64-bit number */
};

/*
 * Fills a response (zeroed before, mark_at = RESPONSE_NO_MARK) from one
 * statement, so from one snapshot.
 */
typedef enum fill route_fill(
    struct response *, const struct request *, struct db *, int timeout_ms);

struct route {
	const char *path;   /* "/api/events/"; with an id it is a prefix */
	const char *suffix; /* "/rank": what follows the id; NULL = nothing */
	enum route_id id;
	unsigned params;   /* that it takes: a set of PARAM_BIT */
	unsigned required; /* those that must be given */
	enum route_cache cache;
	bool html; /* errors are told as a page, not as problem+json */
	route_fill *fill;
};

const struct route *
route_find(const char *path, const char **id, size_t *id_len);

#endif
