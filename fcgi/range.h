/*
 * How a range of time is said: a window, a day, or from and to; and how it is
 * cut into steps.
 */
#ifndef TURNOUT_FCGI_RANGE_H
#define TURNOUT_FCGI_RANGE_H

#include <stdint.h>

#include "lib/attr.h"

#define RANGE_POINTS_MAX 1000
#define RANGE_STEP_PRESET INT64_C(86400000)

struct problem;
struct range;

int range_window(struct range *, const char *) MUSTCHECK;
int range_step(int64_t *step_ms, const char *) MUSTCHECK;
const char *range_step_name(int64_t step_ms);
int range_align(struct range *, int64_t step_ms, struct problem *) MUSTCHECK;
int range_settle(struct range *, unsigned given, struct problem *) MUSTCHECK;
void range_answered(struct range *, int64_t as_of_ms);

#endif
