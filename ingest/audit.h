/* What turnout-ingest audit checks, each by one statement. */
#ifndef TURNOUT_INGEST_AUDIT_H
#define TURNOUT_INGEST_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

#define AUDIT_FIRST "10" /* so many differences of a check are told */

struct audit_check {
	const char *name;
	const char *looked; /* SELECT of how many rows it looks at */
	const char *wrong;  /* SELECT of what differs, one row each */
	const char *order;  /* columns of wrong */
	const char *text;   /* a line about a row of wrong, and as JSON */
	const char *json;
	bool memory; /* only in rounds; $1 is what the last one kept */
};

extern const struct audit_check audit_checks[];
extern const size_t audit_nchecks;
extern const char audit_keep[];

#endif
