/*
 * Why a request is refused, for a person and for a program (RFC 9457).  Text
 * of the client comes in by problem_param() only.
 */
#ifndef TURNOUT_FCGI_PROBLEM_H
#define TURNOUT_FCGI_PROBLEM_H

#include "lib/attr.h"

/* Goes into problem+json as it is. */
struct problem {
	int status;	   /* 400, 404, 405, 414, 500, 503 */
	const char *title; /* static: "Bad parameter" */
	char detail[256];  /* a sentence for a person */
	char param[64];	   /* name of the parameter, "" = none */
	char allowed[160]; /* what it may be, "" = not said */
	int retry_after_s; /* 503: seconds; 0 = not said */
};

int problem(struct problem *, int status, const char *title, const char *fmt,
    ...) PRINTF(4, 5);
void problem_param(struct problem *, const char *name);
void problem_allowed(struct problem *, const char *fmt, ...) PRINTF(2, 3);

#endif
