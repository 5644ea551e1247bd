/*
 * What an operator wants to see: the pool and its caches as the scoreboard
 * has them, ingest and dead letters as the database has them, if it answers.
 */
#ifndef TURNOUT_FCGI_STATUS_H
#define TURNOUT_FCGI_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fcgi/answer.h"
#include "fcgi/scoreboard.h"

#define STATUS_PARTITIONS_MAX 50
#define STATUS_REASONS_MAX 50
#define STATUS_LETTERS 10000 /* dead letters that are looked at */

struct status_partition {
	const char *topic;
	int64_t part;
	int64_t next_offset;
	int64_t end; /* this and the rest: DETAILS_ABSENT = not known */
	int64_t lag;
	int64_t checked_ms;
	const char *stopped_why; /* NULL = it is not stopped */
};

struct status_reason {
	const char *reason;
	int64_t letters;
	int64_t last_ms;
};

struct status_node {
	const char *name;
	int open; /* workers that leave it alone */
};

struct status {
	int64_t scores[SCORES];
	int64_t longest_ms;
	size_t nnodes;
	struct status_node nodes[SCORE_NODES_MAX];
	/* From PostgreSQL; away: nothing of the rest is known. */
	bool away;
	struct answer answer;
	size_t npartitions; /* most lag first; none is cut that is stopped */
	struct status_partition partitions[STATUS_PARTITIONS_MAX];
	size_t nreasons;
	struct status_reason reasons[STATUS_REASONS_MAX];
	bool letters_cut; /* there may be older ones */
	PGresult *res;	  /* owns the text; NULL when away */
};

void status_html(struct response *, const struct status *);

#endif
