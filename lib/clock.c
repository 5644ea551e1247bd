/* The clocks; see clock.h. */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"

static int64_t
now_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Milliseconds that only go forward; for every wait and every age. */
int64_t
clock_mono_ms(void)
{
	return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_mono_us(void)
{
	return now_us(CLOCK_MONOTONIC);
}

/* Milliseconds since 1970-01-01 UTC; for telling, never for waiting. */
int64_t
clock_wall_ms(void)
{
	return now_us(CLOCK_REALTIME) / 1000;
}

/*
 * "2017-03-19T12:30:00Z", with ".120" when there are milliseconds; returns
 * out.  Years outside 0..9999 become "invalid-time": callers bound theirs.
 */
const char *
clock_iso(char out[CLOCK_ISO_LEN], int64_t wall_ms)
{
	int64_t s = wall_ms / 1000;
	int ms = (int)(wall_ms % 1000);
	struct tm tm;
	time_t t;
	size_t n;

	if (ms < 0) {
		ms += 1000;
		s--;
	}
	t = (time_t)s;
	if (gmtime_r(&t, &tm) == NULL || tm.tm_year + 1900 < 0 ||
	    tm.tm_year + 1900 > 9999) {
		strcpy(out, "invalid-time");
		return out;
	}
	n = strftime(out, CLOCK_ISO_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	if (ms != 0)
		snprintf(out + n, CLOCK_ISO_LEN - n, ".%03dZ", ms);
	else
		snprintf(out + n, CLOCK_ISO_LEN - n, "Z");
	return out;
}

/* What poll() may wait until a deadline of clock_mono_ms(); 0 = passed. */
int
clock_left_ms(int64_t deadline_mono_ms)
{
	int64_t left = deadline_mono_ms - clock_mono_ms();

	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}
