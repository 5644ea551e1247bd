/*
 * How far a command of the operator is, on standard error: one line that is
 * written over on a terminal, a line each ten seconds elsewhere.
 */
#ifndef TURNOUT_INGEST_PROGRESS_H
#define TURNOUT_INGEST_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *name; /* what goes on; may be changed on the way */
	bool quiet;
	bool tty;
	bool shown; /* the terminal's line is not empty */
	int64_t start_ms, said_ms;
};

struct progress_count {
	const char *unit;  /* "lines" */
	int64_t done;	   /* so many of them */
	int64_t at, whole; /* of anything; whole 0 = its end is not known */
};

void progress_start(struct progress *, const char *name, bool quiet);
void
progress_count(struct progress *, const struct progress_count *, bool last);
void progress_seconds(struct progress *);
void progress_clear(struct progress *);

#endif
