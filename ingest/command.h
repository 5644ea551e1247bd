/*
 * The operator's commands, and what they share.  A command takes its words
 * (argv[0] is its name) and returns the exit status, or COMMAND_USAGE.
 *
 * Results go to standard output, as a table or, with --json, as one JSON
 * object a line; everything else goes to standard error.
 */
#ifndef TURNOUT_INGEST_COMMAND_H
#define TURNOUT_INGEST_COMMAND_H

#include <stdbool.h>

#include "lib/attr.h"
#include "lib/db.h"

struct ingest_conf;

#define COMMAND_USAGE (-1)

int command_audit(const struct ingest_conf *, int argc, char **argv);
int command_recount(const struct ingest_conf *, int argc, char **argv);
int command_dead_letters(const struct ingest_conf *, int argc, char **argv);
int command_offsets(const struct ingest_conf *, int argc, char **argv);

struct db *command_open(const struct ingest_conf *);
PGresult *command_query(struct db *, const char *sql, int n,
    const char *const *values, int timeout_ms) MUSTCHECK;
PGresult *command_rows(struct db *, const char *sql, int n,
    const char *const *values, bool json, int timeout_ms) MUSTCHECK;
void command_print(const PGresult *, bool json);
bool command_number(
    const char *word, long long least, long long most, long long *n) MUSTCHECK;

#endif
