/*
 * The log: stderr, one line a record, never blocking.  A line that stderr
 * does not take at once is dropped and counted (log_dropped()).
 */
#ifndef TURNOUT_LOG_H
#define TURNOUT_LOG_H

#include <stdint.h>

#include "lib/attr.h"

enum log_level {
	LOG_LEVEL_ERROR, /* a person must act */
	LOG_LEVEL_WARN,	 /* handled, but not normal */
	LOG_LEVEL_INFO,	 /* life events */
	LOG_LEVEL_DEBUG, /* off */
};

/*
 * One kind of trouble that repeats.  A zeroed struct (with what set) is at
 * peace.  Logged at its start, then at most once a minute with a count (each
 * five seconds when the reason is another one, whatever its numbers), then at
 * its end.
 */
struct log_trouble {
	const char *what; /* "PostgreSQL": who is away */
	int64_t since_ms; /* monotonic; 0 = at peace */
	int64_t said_ms;
	uint64_t count;	 /* since it was last said */
	uint32_t reason; /* a hash of what was last said, without digits */
};

void log_open(const char *program, enum log_level);
void log_error(const char *fmt, ...) PRINTF(1, 2);
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_info(const char *fmt, ...) PRINTF(1, 2);
void log_debug(const char *fmt, ...) PRINTF(1, 2);
void log_trouble(struct log_trouble *, const char *fmt, ...) PRINTF(2, 3);
void log_trouble_over(struct log_trouble *);
uint64_t log_dropped(void);
void die(int status, const char *fmt, ...) PRINTF(2, 3) NORETURN;

#endif
