/* The clocks: monotonic for waiting, wall for telling, ISO 8601 for people. */
#ifndef TURNOUT_CLOCK_H
#define TURNOUT_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_ISO_LEN 32 /* room for "2017-03-19T12:30:00.120Z" and its NUL */

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void);
const char *clock_iso(char out[CLOCK_ISO_LEN], int64_t wall_ms);
int clock_left_ms(int64_t deadline_mono_ms);

#endif
