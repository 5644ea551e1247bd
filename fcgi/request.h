/*
 * What a client asks for, parsed, bounded and canonical.  Nothing of a
 * request is used before it went through here, and the cache key is made of
 * this struct, never of the raw query string.  Pure: no I/O, no clock.
 */
#ifndef TURNOUT_FCGI_REQUEST_H
#define TURNOUT_FCGI_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

#define REQUEST_ID_MAX 512 /* bytes of an event id; 19 digits for the others */
#define REQUEST_ETAG_MAX 256
#define TOPK_K_MAX 1000
#define TOPK_K_PRESET 10

enum topk_by {
	TOPK_BY_RSVPS,	   /* current yes RSVPs */
	TOPK_BY_HEADCOUNT, /* people: 1 + guests of each */
};

/* The board that is asked for; ranges and filters join here. */
struct topk_query {
	int k; /* 1..TOPK_K_MAX */
	enum topk_by by;
};

struct route;
struct buf;

struct request {
	const struct route *route;   /* never NULL after request_parse() == 0 */
	char id[REQUEST_ID_MAX + 1]; /* of a path with an id; else "" */
	int64_t number; /* id as a number where the route wants one; else 0 */
	struct topk_query topk; /* of a route that shows a board */
	char if_none_match[REQUEST_ETAG_MAX + 1]; /* "" = not conditional */
	bool head; /* HEAD: everything but the body */
};

/* Why a request is refused; goes into problem+json as it is. */
struct problem {
	int status;	   /* 400, 404, 405, 414, 500, 503 */
	const char *title; /* static: "Bad parameter" */
	char detail[256];  /* a sentence for a person */
	char param[64];	   /* name of the parameter, "" = none */
	char allowed[128]; /* what it may be, "" = not said */
	int retry_after_s; /* 503: seconds; 0 = not said */
};

/* The CGI variables that are read; NULL = not sent. */
struct request_env {
	const char *method;
	const char *path_info;
	const char *document_uri;
	const char *script_name;
	const char *query;
	const char *if_none_match;
};

int request_parse(
    struct request *, const struct request_env *, struct problem *) MUSTCHECK;
const char *request_path(const struct request_env *);
void request_cache_key(const struct request *, struct buf *);

#endif
