/* Which of two versions of an RSVP is the true one.  Pure. */
#ifndef TURNOUT_INGEST_VERSION_H
#define TURNOUT_INGEST_VERSION_H

#include <stddef.h>
#include <stdint.h>

/* What the rule looks at; of the same rsvp_id on both sides. */
struct version {
	int64_t mtime_ms;
	int response;	      /* enum rsvp_response: yes < waitlist < no */
	int guests;	      /* RSVP_ABSENT lowest */
	const char *event_id; /* by bytes */
	size_t event_id_len;
	int64_t member_id; /* RSVP_ABSENT lowest */
};

int version_compare(const struct version *, const struct version *);

#endif
