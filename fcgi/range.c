/* How a range of time is said; see range.h. */
#include "config.h"

#include <string.h>

#include "fcgi/param.h"
#include "fcgi/problem.h"
#include "fcgi/range.h"
#include "fcgi/topk_query.h"
#include "lib/clock.h"
#include "lib/conf.h"

#define HOUR_MS INT64_C(3600000)

/* At most 400 days each; PARAM_WINDOW says so. */
/* clang-format off */
static const struct unit { char name; long max; int64_t ms; } units[] = {
	{ 'm', 400 * 24 * 60, 60000 },
	{ 'h', 400 * 24,      HOUR_MS },
	{ 'd', 400,           CLOCK_DAY_MS },
};

static const struct { const char *name; int64_t ms; } steps[] = {
	{ "1h", HOUR_MS },
	{ "1d", CLOCK_DAY_MS },
	{ "1w", 7 * CLOCK_DAY_MS },
};

/* Two parameters that both say the range; from and to are one way. */
static const enum param rivals[][2] = {
	{ PARAM_WINDOW, PARAM_DATE },
	{ PARAM_WINDOW, PARAM_FROM },
	{ PARAM_DATE,   PARAM_FROM },
	{ PARAM_DATE,   PARAM_TO },
};
/* clang-format on */

/* Reads the length of a window: "90m", "24h", "7d"; -1 = it is none. */
int
range_window(struct range *range, const char *text)
{
	size_t len = strlen(text), i;
	char number[sizeof(range->window)];
	long n;

	if (len < 2 || len >= sizeof(range->window) || text[0] == '0' ||
	    text[0] == '-')
		return -1;
	memcpy(number, text, len - 1);
	number[len - 1] = '\0';
	for (i = 0; i < NITEMS(units); i++) {
		if (text[len - 1] != units[i].name)
			continue;
		if (conf_number(&n, number, 1, units[i].max) == -1)
			return -1;
		memcpy(range->window, text, len + 1);
		range->window_ms = n * units[i].ms;
		return 0;
	}
	return -1;
}

static int
refuse(struct problem *p, enum param param, const char *allowed)
{
	problem_param(p, param_name(param));
	problem_allowed(p, "%s", allowed);
	return -1;
}

static int
lacks(struct problem *p, enum param have, enum param lack)
{
	problem(p, 400, "Missing parameter",
	    "The parameter \"%s\" needs the parameter \"%s\" beside it.",
	    param_name(have), param_name(lack));
	return refuse(p, lack, param_allowed(lack));
}

/*
 * Decides the kind of a range from the parameters that were given (a set of
 * PARAM_BIT) and completes it.  Returns 0, or -1 with the refusal.
 */
int
range_settle(struct range *range, unsigned given, struct problem *p)
{
	const bool window = (given & PARAM_BIT(PARAM_WINDOW)) != 0;
	const bool from = (given & PARAM_BIT(PARAM_FROM)) != 0;
	const bool to = (given & PARAM_BIT(PARAM_TO)) != 0;
	size_t i;

	for (i = 0; i < NITEMS(rivals); i++) {
		if ((given & PARAM_BIT(rivals[i][0])) == 0 ||
		    (given & PARAM_BIT(rivals[i][1])) == 0)
			continue;
		problem(p, 400, "Two ranges",
		    "The parameters \"%s\" and \"%s\" both say the range; "
		    "only one of them can.",
		    param_name(rivals[i][0]), param_name(rivals[i][1]));
		return refuse(p, rivals[i][1],
		    "one of window (with to, or not), date, from with to");
	}
	if (from && !to)
		return lacks(p, PARAM_FROM, PARAM_TO);
	if (to && !from && !window)
		return lacks(p, PARAM_TO, PARAM_FROM);
	if (from && range->from_ms >= range->to_ms) {
		problem(p, 400, "Empty range",
		    "The parameter \"from\" must be before \"to\".");
		return refuse(p, PARAM_FROM, "a time before to");
	}
	if (window && to && range->to_ms < range->window_ms) {
		problem(p, 400, "Bad parameter",
		    "The window must not begin before 1970-01-01.");
		return refuse(p, PARAM_WINDOW, "at most the time since 1970");
	}
	if (window && to)
		range->from_ms = range->to_ms - range->window_ms;
	if ((given & PARAM_BIT(PARAM_DATE)) != 0)
		range->kind = RANGE_DAY;
	else if (from)
		range->kind = RANGE_FROM_TO;
	else if (window)
		range->kind = to ? RANGE_WINDOW : RANGE_SLIDING;
	return 0;
}

/* A window that slides ends when it is answered. */
void
range_answered(struct range *range, int64_t as_of_ms)
{
	if (range->kind == RANGE_SLIDING) {
		range->from_ms = as_of_ms - range->window_ms;
		range->to_ms = as_of_ms;
	}
}

/* Reads the length of a step; -1 = it is none. */
int
range_step(int64_t *step_ms, const char *text)
{
	size_t i;

	for (i = 0; i < NITEMS(steps); i++) {
		if (strcmp(text, steps[i].name) == 0) {
			*step_ms = steps[i].ms;
			return 0;
		}
	}
	return -1;
}

const char *
range_step_name(int64_t step_ms)
{
	size_t i;

	for (i = 0; steps[i].ms != step_ms; i++)
		;
	return steps[i].name;
}

/* How long before a time its step begins; 1970 began on a Thursday, weeks
 * begin on a Monday. */
static int64_t
into_step(int64_t ms, int64_t step_ms)
{
	int64_t shift = step_ms == 7 * CLOCK_DAY_MS ? 3 * CLOCK_DAY_MS : 0;

	return (ms + shift) % step_ms;
}

static int64_t
points(const struct range *range, int64_t step_ms)
{
	int64_t from = range->from_ms - into_step(range->from_ms, step_ms);

	return (range->to_ms - from + step_ms - 1) / step_ms;
}

/*
 * Widens a range that was given as from and to so that it begins and ends
 * with a step; any other is left alone.  Returns 0, or -1 with the refusal:
 * it has too many points, or leaves the years that we know.
 */
int
range_align(struct range *range, int64_t step_ms, struct problem *p)
{
	int64_t n, from;
	size_t i;

	if (range->kind != RANGE_FROM_TO)
		return 0;
	if ((n = points(range, step_ms)) > RANGE_POINTS_MAX) {
		problem(p, 400, "Too many points",
		    "The range has more than %d steps of %s.", RANGE_POINTS_MAX,
		    range_step_name(step_ms));
		for (i = 0; i < NITEMS(steps); i++)
			if (points(range, steps[i].ms) <= RANGE_POINTS_MAX)
				return refuse(p, PARAM_STEP, steps[i].name);
		return refuse(p, PARAM_FROM, "at most 1000 weeks before to");
	}
	from = range->from_ms - into_step(range->from_ms, step_ms);
	if (from < 0 || from + n * step_ms > CLOCK_MAX_MS) {
		problem(p, 400, "Bad range",
		    "The weeks of the range must begin and end from "
		    "1970-01-05 to 9999-12-27.");
		return refuse(p, from < 0 ? PARAM_FROM : PARAM_TO,
		    "a time from 1970-01-05 to 9999-12-27");
	}
	range->from_ms = from;
	range->to_ms = from + n * step_ms;
	return 0;
}
