/* /metrics and /healthz of turnout-ingest, on a loopback port. */
#ifndef TURNOUT_INGEST_STATUS_H
#define TURNOUT_INGEST_STATUS_H

#include "lib/attr.h"

int status_start(const char *listen) MUSTCHECK;
void status_stop(void);

#endif
