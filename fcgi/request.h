/*
 * What a client asks for, parsed, bounded and canonical.  Nothing of a
 * request is used before it went through here, and the cache key is made of
 * this struct, never of the raw query string.  Pure: no I/O, no clock.
 */
#ifndef TURNOUT_FCGI_REQUEST_H
#define TURNOUT_FCGI_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi/problem.h"
#include "fcgi/topk_query.h"
#include "lib/attr.h"

#define REQUEST_ID_MAX 512 /* bytes of an event id; 19 digits for the others */
#define REQUEST_ETAG_MAX 256
#define REQUEST_AROUND_MAX 20
#define REQUEST_LIMIT_MAX 100
#define REQUEST_LIMIT_PRESET 20

struct route;
struct buf;

struct request {
	const struct route *route;   /* never NULL after request_parse() == 0 */
	char id[REQUEST_ID_MAX + 1]; /* of a path with an id; else "" */
	int64_t number; /* id as a number where the route wants one; else 0 */
	unsigned given; /* the parameters that were: a set of PARAM_BIT */
	struct topk_query topk; /* of a route that shows a board, or a rank */
	int64_t step_ms;	/* of a history, whose range is topk's */
	int around;		/* of a rank: neighbours each side */
	char words[TOPK_TEXT_SIZE]; /* to search for */
	int limit;		    /* of a search */
	bool csv;		    /* the answer is to be CSV */
	bool negotiated; /* and that was decided by the Accept header */
	char if_none_match[REQUEST_ETAG_MAX + 1]; /* "" = not conditional */
	bool head; /* HEAD: everything but the body */
};

/* The CGI variables that are read; NULL = not sent. */
struct request_env {
	const char *method;
	const char *path_info;
	const char *document_uri;
	const char *script_name;
	const char *query;
	const char *if_none_match;
	const char *accept;
};

int request_parse(
    struct request *, const struct request_env *, struct problem *) MUSTCHECK;
int request_number(int64_t *, const char *) MUSTCHECK;
const char *request_path(const struct request_env *);
void request_cache_key(const struct request *, struct buf *);

#endif
