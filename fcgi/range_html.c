/* A range of time in words; see range_html.h. */
#include "config.h"

#include <string.h>

#include "fcgi/html.h"
#include "fcgi/range_html.h"
#include "fcgi/topk_query.h"
#include "fcgi/words.h"
#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/clock.h"

/* clang-format off */
static const struct { char name; int64_t ms; enum word length, brief; } units[] = {
	{ 'd', CLOCK_DAY_MS,     W_LAST_DAY_ONE,    W_SHORT_DAYS },
	{ 'h', INT64_C(3600000), W_LAST_HOUR_ONE,   W_SHORT_HOURS },
	{ 'm', INT64_C(60000),   W_LAST_MINUTE_ONE, W_SHORT_MINUTES },
};
/* clang-format on */

/* The unit in which a window was given, or the largest that fits a range. */
static size_t
unit_of(const struct range *range, int64_t ms)
{
	const size_t len = strlen(range->window);
	size_t i;

	for (i = 0; i < NITEMS(units); i++)
		if (len > 0 ? range->window[len - 1] == units[i].name
			    : ms % units[i].ms == 0)
			break;
	return i;
}

/* Adds how long a range is, for "the last ..." and "the ... before": "hour",
 * "24 hours".  Nothing for all time. */
void
range_html_length(struct buf *b, const struct range *range)
{
	int64_t ms = range->window_ms;
	size_t i;

	if (range->kind == RANGE_ALL)
		return;
	if (ms == 0)
		ms = range->to_ms - range->from_ms;
	if ((i = unit_of(range, ms)) < NITEMS(units))
		words_add_n(b, units[i].length, ms / units[i].ms);
	else
		words_span(b, ms);
}

/* Adds the length of a window as a link has it: "24 h". */
void
range_html_short(struct buf *b, const struct range *range)
{
	char number[WORDS_NUMBER_LEN];
	size_t i;

	if (range->kind == RANGE_ALL) {
		buf_adds(b, word(W_SHORT_ALL));
		return;
	}
	i = unit_of(range, range->window_ms);
	words_add(b, units[i].brief,
	    words_number(number, range->window_ms / units[i].ms), NULL);
}

/* Adds which RSVPs count: "of the last 24 hours".  A window that slides has
 * no times, which would change by themselves. */
void
range_html(struct buf *b, const struct range *range)
{
	struct buf from = { 0 }, to = { 0 };

	switch (range->kind) {
	case RANGE_ALL:
		buf_adds(b, word(W_RANGE_ALL));
		break;
	case RANGE_SLIDING:
		range_html_length(&from, range);
		words_add(b, W_RANGE_LAST, buf_str(&from), NULL);
		break;
	case RANGE_DAY:
		html_day(&from, range->from_ms);
		words_add(b, W_RANGE_DAY, buf_str(&from), NULL);
		break;
	case RANGE_WINDOW:
	case RANGE_FROM_TO:
		html_time(&from, range->from_ms);
		html_time(&to, range->to_ms);
		words_add(
		    b, W_RANGE_FROM_TO, buf_str(&from), buf_str(&to), NULL);
		break;
	}
	buf_free(&from);
	buf_free(&to);
}
