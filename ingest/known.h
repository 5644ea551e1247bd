/*
 * Which details the database is known to have: a hint, so that details that
 * come again are sent without their content.  Bounded: an entry is forgotten
 * when another one needs its place.  A wrong entry costs a second statement,
 * never a wrong row (see store_details.c).
 */
#ifndef TURNOUT_INGEST_KNOWN_H
#define TURNOUT_INGEST_KNOWN_H

#include <stdbool.h>

#include "ingest/batch.h"

struct known;

struct known *known_new(void);
bool
known_has(const struct known *, enum detail_kind, const struct detail_row *);
void known_add(struct known *, const struct batch *);
void known_free(struct known *);

#endif
