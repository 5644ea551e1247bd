/*
 * What json-c 0.16 lets through in its strict mode and JSON does not: NaN,
 * single quotes, raw control characters, "1.", a key cut at an escaped NUL,
 * overlong UTF-8.  A pass over the raw bytes that looks at the tokens and
 * leaves their order to json-c.  Pure.
 */
#ifndef TURNOUT_INGEST_RSVP_LEX_H
#define TURNOUT_INGEST_RSVP_LEX_H

#include <stddef.h>

#include "ingest/rsvp.h"

#define RSVP_DEPTH_MAX 16 /* objects and arrays inside each other */

enum rsvp_reason rsvp_lex(const char *, size_t len) MUSTCHECK;

#endif
