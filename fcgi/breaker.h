/* Leaves a server alone for a while after a fault.  Pure: pass the time. */
#ifndef TURNOUT_FCGI_BREAKER_H
#define TURNOUT_FCGI_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

/* A zeroed struct is closed: calls go through. */
struct breaker {
	int64_t open_until_ms; /* monotonic; 0 = closed */
};

bool breaker_allows(const struct breaker *, int64_t now_ms);
void breaker_failed(struct breaker *, int64_t now_ms, int64_t retry_ms);
void breaker_worked(struct breaker *);

#endif
