/*
 * What a client gets.  A body is built whole, kept with the place of its
 * stale mark, and written once; the same body serves fresh and stale.
 */
#ifndef TURNOUT_FCGI_RESPONSE_H
#define TURNOUT_FCGI_RESPONSE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

enum response_type {
	RESPONSE_JSON, /* application/json; mark: false | true */
	RESPONSE_HTML, /* text/html; mark: nothing | a paragraph that says so */
	RESPONSE_PROBLEM, /* application/problem+json */
	RESPONSE_TEXT,	  /* text/plain; version=0.0.4 (metrics, health) */
	RESPONSE_CSV,	  /* text/csv; no mark */
	RESPONSE_TYPES	  /* how many; the numbers stand in Redis */
};

#define RESPONSE_NO_MARK SIZE_MAX

struct response {
	int status;
	enum response_type type;
	struct buf body;
	/* Where in body the stale mark goes; RESPONSE_NO_MARK = nowhere. */
	size_t mark_at;
	uint64_t etag;	  /* hash of what does not change by itself; 0 = none */
	int64_t as_of_ms; /* wall clock of the snapshot; 0 = none */
};

#endif
