/* The Redis side of a request.  Every call works, or quietly does not. */
#ifndef TURNOUT_FCGI_CACHE_H
#define TURNOUT_FCGI_CACHE_H

#include <stdint.h>

#include "fcgi/response.h"

struct cache;
struct fcgi_conf;

enum cache_state {
	CACHE_MISS,   /* no body: fill, then cache_put() */
	CACHE_FRESH,  /* send it */
	CACHE_STALE,  /* send it: somebody else is refilling */
	CACHE_REFILL, /* an old body, and it is yours to refill, or to send */
};

struct cache *cache_open(const struct fcgi_conf *);
void cache_begin(struct cache *);
enum cache_state
cache_get(struct cache *, const char *key, int64_t fresh_ms, struct response *);
void cache_put(struct cache *, const char *key, const struct response *);
void cache_close(struct cache *);

#endif
