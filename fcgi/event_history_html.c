/* How an event's counts came about, as a plot and a table. */
#include "config.h"

#include <stdlib.h>

#include "fcgi/event_page.h"
#include "fcgi/html.h"
#include "fcgi/plot.h"
#include "fcgi/words.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/xalloc.h"

#define BARS_MIN 14
#define BARS_DAYS 120 /* more days are put together, by 7, then by 28 */
#define BARS_MAX 800

/* Makes bars of equal length from the days, which are given latest first and
 * only where there is something; the last bar holds the last day. */
static void
make_bars(
    struct plot *plot, struct history_point **bars, const struct event_page *p)
{
	const int64_t last = p->days[0].at_ms / CLOCK_DAY_MS;
	const int64_t first = p->days[p->ndays - 1].at_ms / CLOCK_DAY_MS;
	const int64_t span = last - first + 1;
	int64_t step = 1, bar;
	size_t i;

	if (span > BARS_DAYS)
		step = span > 7 * BARS_DAYS ? 28 : 7;
	plot->n = (size_t)((span + step - 1) / step);
	if (plot->n < BARS_MIN)
		plot->n = BARS_MIN;
	if (plot->n > BARS_MAX)
		plot->n = BARS_MAX;
	plot->step_ms = step * CLOCK_DAY_MS;
	*bars = xcalloc(plot->n, sizeof(**bars));
	plot->points = *bars;
	for (i = 0; i < plot->n; i++)
		(*bars)[i].at_ms = (last + 1 - (int64_t)(plot->n - i) * step) *
		    CLOCK_DAY_MS;
	for (i = 0; i < p->ndays; i++) {
		bar = (int64_t)plot->n - 1 -
		    (last - p->days[i].at_ms / CLOCK_DAY_MS) / step;
		if (bar < 0)
			break;
		(*bars)[bar].rsvps += p->days[i].rsvps;
		(*bars)[bar].headcount += p->days[i].headcount;
	}
}

static void
add_table(struct buf *b, const struct plot *plot)
{
	const int64_t days = plot->step_ms / CLOCK_DAY_MS;
	const struct history_point *point;
	size_t i;

	buf_addf(b,
	    "<details>\n<summary>%s</summary>\n<table class=\"facts\">\n"
	    "<caption>%s</caption>\n<thead>\n<tr>\n<th scope=\"col\">%s</th>\n"
	    "<th scope=\"col\" class=\"count\">%s</th>\n<th scope=\"col\""
	    " class=\"count\">%s</th>\n</tr>\n</thead>\n<tbody>\n",
	    word(W_HISTORY_TABLE), word(W_HISTORY_ZEROS),
	    word(days == 1	? W_HISTORY_DAY
		    : days == 7 ? W_HISTORY_WEEK
				: W_HISTORY_MONTH),
	    word(W_RSVPS), word(W_PEOPLE));
	for (i = plot->n; i-- > 0;) {
		point = &plot->points[i];
		if (point->rsvps == 0)
			continue;
		buf_adds(b, "<tr>\n<th scope=\"row\">");
		html_day(b, point->at_ms);
		buf_adds(b, "</th>\n<td class=\"count\">");
		html_number(b, point->rsvps);
		buf_adds(b, "</td>\n<td class=\"count\">");
		html_number(b, point->headcount);
		buf_adds(b, "</td>\n</tr>\n");
	}
	buf_adds(b, "</tbody>\n</table>\n</details>\n");
}

/* Adds the section on an event's history. */
void
event_history_html(struct buf *b, const struct event_page *p)
{
	struct history_point *bars = NULL;
	struct plot plot = { 0 };
	char number[WORDS_NUMBER_LEN];

	buf_addf(b, "<h2>%s</h2>\n", word(W_HISTORY));
	if (p->ndays == 0) {
		buf_addf(b, "<p class=\"note\">%s</p>\n", word(W_HISTORY_NONE));
		return;
	}
	make_bars(&plot, &bars, p);
	plot_history(b, &plot);
	if (p->days_cut) {
		buf_adds(b, "<p class=\"note\">");
		words_add(b, W_HISTORY_CUT,
		    words_number(number, (int64_t)p->ndays), NULL);
		buf_adds(b, "</p>\n");
	}
	add_table(b, &plot);
	free(bars);
}
