/*
 * The form of a value in Redis: a response with its own key, times, length
 * and checksum.  Whatever does not fit is a miss: Redis is a hint, and a
 * value may be cut, old, of another version, or somebody else's.  Pure.
 */
#ifndef TURNOUT_FCGI_ENVELOPE_H
#define TURNOUT_FCGI_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>

#include "fcgi/response.h"
#include "lib/attr.h"

#define ENVELOPE_BODY_MAX (2 * 1024 * 1024) /* a larger body is not cached */
#define ENVELOPE_SKEW_MS 2000 /* clocks of two hosts may differ by this */

int envelope_encode(struct buf *, const char *key, const struct response *,
    int64_t stored_ms) MUSTCHECK;
int envelope_decode(struct response *, const char *key, const void *data,
    size_t len, int64_t now_ms, int64_t max_age_ms, int64_t *age_ms) MUSTCHECK;

#endif
