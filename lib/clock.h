/*
 * The clocks: monotonic for waiting, wall for telling; times as people write
 * them, to and from milliseconds.
 */
#ifndef TURNOUT_CLOCK_H
#define TURNOUT_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

#define CLOCK_ISO_LEN 32 /* room for "2017-03-19T12:30:00.120Z" and its NUL */
#define CLOCK_DAY_MS INT64_C(86400000)
#define CLOCK_MAX_MS INT64_C(253402300799999) /* the end of 9999 */

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void);
const char *clock_iso(char out[CLOCK_ISO_LEN], int64_t wall_ms);
int clock_parse_day(int64_t *wall_ms, const char *) MUSTCHECK;
int clock_parse_time(int64_t *wall_ms, const char *) MUSTCHECK;
int clock_left_ms(int64_t deadline_mono_ms);

#endif
