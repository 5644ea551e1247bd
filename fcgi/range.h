/* How a range of time is said: a window, a day, or from and to. */
#ifndef TURNOUT_FCGI_RANGE_H
#define TURNOUT_FCGI_RANGE_H

#include <stdint.h>

#include "lib/attr.h"

struct problem;
struct range;

int range_window(struct range *, const char *) MUSTCHECK;
int range_settle(struct range *, unsigned given, struct problem *) MUSTCHECK;

#endif
