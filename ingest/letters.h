/*
 * Which dead letters a command is about: ids, or filters, or all of them.
 * Read from the command's words, and handed to PostgreSQL as the parameters
 * of one condition.
 */
#ifndef TURNOUT_INGEST_LETTERS_H
#define TURNOUT_INGEST_LETTERS_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/buf.h"

#define LETTERS_LIMIT 100LL /* of a list, when nothing else is said */
#define LETTERS_VALUES 5    /* parameters of LETTERS_WHERE */

/* $1 reason, $2 topic, $3 since, $4 until, $5 ids; NULL lets all pass. */
#define LETTERS_WHERE                                                          \
	"($1::text IS NULL OR reason = $1)"                                    \
	" AND ($2::text IS NULL OR topic = $2)"                                \
	" AND ($3::timestamptz IS NULL OR received_at >= $3)"                  \
	" AND ($4::timestamptz IS NULL OR received_at < $4)"                   \
	" AND ($5::bigint[] IS NULL OR dead_letter_id = ANY ($5))"

struct db;
struct ingest_conf;

struct letters {
	const char *reason, *topic, *since, *until; /* borrowed; NULL = any */
	struct buf ids; /* an array for PostgreSQL; empty = any */
	bool all;
	bool json, raw;
	long long limit; /* 0 = the usual */
};

enum letters_times {
	LETTERS_TIMES_GOOD,
	LETTERS_TIMES_WRONG, /* wrong usage: PostgreSQL knows no such time */
	LETTERS_TIMES_FAULT, /* PostgreSQL could not be asked */
};

int letters_parse(struct letters *, int argc, char **argv) MUSTCHECK;
bool letters_chosen(const struct letters *);
bool letters_filtered(const struct letters *);
void letters_values(const struct letters *, const char *values[LETTERS_VALUES]);
enum letters_times letters_check_times(
    const struct letters *, struct db *, int timeout_ms) MUSTCHECK;
void letters_free(struct letters *);
int letters_retry(
    const struct ingest_conf *, struct db *, const struct letters *) MUSTCHECK;

#endif
