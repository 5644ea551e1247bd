/*
 * The version rule.  The newest second wins, rounded half up because the
 * stream re-sends an RSVP with its mtime rounded; inside a second an exact
 * time beats a rounded copy; the rest only makes the order total, so that
 * the stored state is a function of the set of messages.  store_sql.c holds
 * the same rule as SQL, sql/001_tables.sql in words.
 */
#include "config.h"

#include <string.h>

#include "ingest/version.h"

static int
compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
compare_bytes(const struct version *a, const struct version *b)
{
	size_t n = a->event_id_len < b->event_id_len ? a->event_id_len
						     : b->event_id_len;
	int c = memcmp(a->event_id, b->event_id, n);

	return c != 0
	    ? c
	    : compare((int64_t)a->event_id_len, (int64_t)b->event_id_len);
}

/* <0, 0 or >0 as a is older than, the same as, or newer than b. */
int
version_compare(const struct version *a, const struct version *b)
{
	int c;

	if ((c = compare(
		 (a->mtime_ms + 500) / 1000, (b->mtime_ms + 500) / 1000)) != 0)
		return c;
	if ((c = compare(a->mtime_ms % 1000 != 0, b->mtime_ms % 1000 != 0)) !=
	    0)
		return c;
	if ((c = compare(a->mtime_ms, b->mtime_ms)) != 0)
		return c;
	if ((c = compare(a->response, b->response)) != 0)
		return c;
	if ((c = compare(a->guests, b->guests)) != 0)
		return c;
	if ((c = compare_bytes(a, b)) != 0)
		return c;
	return compare(a->member_id, b->member_id);
}
