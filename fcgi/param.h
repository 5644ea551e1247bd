/*
 * The parameters of all routes: name, what it may be, how it is read into a
 * request.  How they may stand together is no business of theirs.
 */
#ifndef TURNOUT_FCGI_PARAM_H
#define TURNOUT_FCGI_PARAM_H

#include <stdbool.h>

#include "lib/attr.h"

struct request;

/* In the order in which a refusal lists them. */
enum param {
	PARAM_K,
	PARAM_BY,
	PARAM_WINDOW,
	PARAM_DATE,
	PARAM_FROM,
	PARAM_TO,
	PARAM_COUNTRY,
	PARAM_CITY,
	PARAM_GROUP,
	PARAM_TOPIC,
	PARAM_WHEN,
	PARAM_FORMAT,
	PARAM_STEP,
	PARAM_AROUND,
	PARAM_EVENT_ID,
	PARAM_Q,
	PARAM_LIMIT,
	PARAMS
};

#define PARAM_BIT(param) (1U << (param))
#define PARAM_SET_RANGE                                                        \
	(PARAM_BIT(PARAM_WINDOW) | PARAM_BIT(PARAM_DATE) |                     \
	    PARAM_BIT(PARAM_FROM) | PARAM_BIT(PARAM_TO))
#define PARAM_SET_FILTER                                                       \
	(PARAM_BIT(PARAM_COUNTRY) | PARAM_BIT(PARAM_CITY) |                    \
	    PARAM_BIT(PARAM_GROUP) | PARAM_BIT(PARAM_TOPIC) |                  \
	    PARAM_BIT(PARAM_WHEN))
#define PARAM_SET_BOARD                                                        \
	(PARAM_BIT(PARAM_K) | PARAM_BIT(PARAM_BY) | PARAM_SET_RANGE |          \
	    PARAM_SET_FILTER)

enum param param_find(const char *name);
const char *param_name(enum param);
const char *param_allowed(enum param);
int param_take(struct request *, enum param, const char *value) MUSTCHECK;

#endif
