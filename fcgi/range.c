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
