/*
 * A connection for statements that may take minutes.  They run in a thread,
 * so that a signal ends the wait: the server is asked to cancel, and one that
 * does not answer is left behind.
 */
#ifndef TURNOUT_INGEST_SLOW_H
#define TURNOUT_INGEST_SLOW_H

#include "lib/attr.h"
#include "lib/db.h"

#define SLOW_VALUES 2 /* most parameters of a statement */

struct ingest_conf;
struct progress;
struct slow;

struct slow *slow_open(const struct ingest_conf *, struct progress *);
PGresult *slow_query(
    struct slow *, const char *sql, int n, const char *const *values) MUSTCHECK;
int slow_exec(struct slow *, const char *sql) MUSTCHECK;
enum db_fault slow_fault(const struct slow *);
const char *slow_errstr(struct slow *);
void slow_drop(struct slow *);
void slow_close(struct slow *);

#endif
