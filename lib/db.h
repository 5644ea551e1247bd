/*
 * One connection to PostgreSQL, with a deadline on every wait.
 *
 * The only header of Turnout that shows a foreign type: PGresult.  A handle
 * connects when it is first used and after a fault; a call that misses its
 * deadline drops the connection, because nobody knows any more what is on it.
 */
#ifndef TURNOUT_DB_H
#define TURNOUT_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/attr.h"

struct db;

/* What the last failure asks for (reference: SQLSTATE classes). */
enum db_fault {
	DB_FAULT_NONE,
	DB_FAULT_LOST,	 /* no connection, or in an unknown state: anew */
	DB_FAULT_RETRY,	 /* 40, 53, 55, 57, 58, 08, 25: the same again, later */
	DB_FAULT_RECORD, /* 22, 23: a record is at fault: bisect */
	DB_FAULT_STOP,	 /* 42, 28, 3D, XX and the rest: a person must act */
};

/* The parameters of one statement; a NULL value is SQL NULL. */
struct db_params {
	int n;
	const Oid *types; /* NULL = let the server decide */
	const char *const *values;
	const int *lengths; /* NULL when all are text */
	const int *formats; /* 0 text, 1 binary; NULL when all are text */
};

struct db *db_open(const char *conninfo, const char *application_name);
void db_until(struct db *, int64_t deadline_ms);
void db_until_stop(struct db *, int fd);
int db_connect(struct db *, int timeout_ms) MUSTCHECK;
bool db_connected(const struct db *);
PGresult *db_query(struct db *, const char *sql, const struct db_params *,
    int timeout_ms) MUSTCHECK;
int db_exec(struct db *, const char *sql, int timeout_ms) MUSTCHECK;
int db_commit(struct db *, int timeout_ms) MUSTCHECK;
enum db_fault db_fault(const struct db *);
const char *db_errstr(const struct db *);
const char *db_sqlstate(const struct db *);
const char *db_table(const struct db *);
int db_backend_pid(const struct db *);
void db_drop(struct db *);
void db_close(struct db *);

#endif
