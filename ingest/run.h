/* The daemon's loop, and the import that shares its path. */
#ifndef TURNOUT_INGEST_RUN_H
#define TURNOUT_INGEST_RUN_H

#include <stdbool.h>

struct ingest_conf;

int run_daemon(const struct ingest_conf *);
int
import_files(const struct ingest_conf *, char *const *files, int n, bool quiet);

#endif
