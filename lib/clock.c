/* The clocks; see clock.h. */
#include "config.h"

#include <limits.h>
#include <stdbool.h>
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

/* Reads exactly n digits; -1 when there are not as many, or out of range. */
static int
digits(const char **at, int n, int min, int max)
{
	int value = 0;

	for (; n > 0; n--, (*at)++) {
		if (**at < '0' || **at > '9')
			return -1;
		value = value * 10 + **at - '0';
	}
	return value < min || value > max ? -1 : value;
}

/* Skips one of two characters; false when neither is there. */
static bool
skip(const char **at, char c, char other)
{
	if (**at != c && **at != other)
		return false;
	(*at)++;
	return true;
}

static bool
leap_year(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Reads YYYY-MM-DD of 1970 to 9999; -1 when there is no such day. */
static int
day(const char **at, int64_t *ms)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	int year, month, mday, past, i;
	int64_t days;

	if ((year = digits(at, 4, 1970, 9999)) == -1 || !skip(at, '-', '-') ||
	    (month = digits(at, 2, 1, 12)) == -1 || !skip(at, '-', '-') ||
	    (mday = digits(at, 2, 1, 31)) == -1 ||
	    mday > lengths[month - 1] + (month == 2 && leap_year(year)))
		return -1;
	past = year - 1;
	days = INT64_C(365) * past + past / 4 - past / 100 + past / 400;
	days -= 719162; /* of the years before 1970 */
	for (i = 1; i < month; i++)
		days += lengths[i - 1] + (i == 2 && leap_year(year));
	*ms = (days + mday - 1) * CLOCK_DAY_MS;
	return 0;
}

/* Reads HH:MM:SS, with one to three decimals or none. */
static int
time_of_day(const char **at, int64_t *ms)
{
	int hour, minute, second, unit = 100;

	if ((hour = digits(at, 2, 0, 23)) == -1 || !skip(at, ':', ':') ||
	    (minute = digits(at, 2, 0, 59)) == -1 || !skip(at, ':', ':') ||
	    (second = digits(at, 2, 0, 59)) == -1)
		return -1;
	*ms += ((hour * 60 + minute) * 60 + second) * INT64_C(1000);
	if (!skip(at, '.', '.'))
		return 0;
	if (**at < '0' || **at > '9')
		return -1;
	for (; **at >= '0' && **at <= '9' && unit > 0; unit /= 10, (*at)++)
		*ms += unit * (**at - '0');
	return 0;
}

/* Reads Z, or how far the time is ahead of UTC as +HH:MM or -HH:MM. */
static int
offset(const char **at, int64_t *ms)
{
	int hour, minute, sign;

	if (skip(at, 'Z', 'z'))
		return 0;
	sign = **at == '-' ? 1 : -1;
	if (!skip(at, '+', '-') || (hour = digits(at, 2, 0, 23)) == -1 ||
	    !skip(at, ':', ':') || (minute = digits(at, 2, 0, 59)) == -1)
		return -1;
	*ms += sign * (hour * 60 + minute) * INT64_C(60000);
	return 0;
}

/*
 * Reads a day, "2017-03-19", as its first millisecond in UTC.  Returns 0, or
 * -1 when it is anything else or no day of 1970 to 9999.
 */
int
clock_parse_day(int64_t *wall_ms, const char *text)
{
	int64_t ms;

	if (day(&text, &ms) == -1 || *text != '\0')
		return -1;
	*wall_ms = ms;
	return 0;
}

/*
 * Reads a time as RFC 3339 writes it, "2017-03-19T13:30:00.12+01:00", of 1970
 * to 9999.  Returns 0, or -1: also for decimals beyond the millisecond and
 * for a leap second, neither of which we could keep.
 */
int
clock_parse_time(int64_t *wall_ms, const char *text)
{
	int64_t ms;

	if (day(&text, &ms) == -1 || !skip(&text, 'T', 't') ||
	    time_of_day(&text, &ms) == -1 || offset(&text, &ms) == -1 ||
	    *text != '\0' || ms < 0 || ms > CLOCK_MAX_MS)
		return -1;
	*wall_ms = ms;
	return 0;
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
