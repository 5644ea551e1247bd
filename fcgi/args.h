/* The parameters of one statement, $1 first, all of them as text. */
#ifndef TURNOUT_FCGI_ARGS_H
#define TURNOUT_FCGI_ARGS_H

#include <stdint.h>

#define ARGS_MAX 16

/* Zeroed = none.  Points into itself: not to be copied. */
struct args {
	int n;
	const char *values[ARGS_MAX]; /* NULL = SQL NULL */
	char numbers[ARGS_MAX][24];
};

void args_text(struct args *, const char *);
void args_number(struct args *, int64_t);
void args_null(struct args *);

#endif
