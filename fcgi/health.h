/* The routes for operators: alive, ready, counted. */
#ifndef TURNOUT_FCGI_HEALTH_H
#define TURNOUT_FCGI_HEALTH_H

#include "fcgi/route.h"

enum fill health_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill ready_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;
enum fill metrics_fill(struct response *, const struct request *, struct db *,
    int timeout_ms) MUSTCHECK;

#endif
