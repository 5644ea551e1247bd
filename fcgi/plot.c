/* Small plots; see plot.h. */
#include "config.h"

#include <inttypes.h>
#include <stdbool.h>

#include "fcgi/history.h"
#include "fcgi/html.h"
#include "fcgi/plot.h"
#include "fcgi/words.h"
#include "lib/buf.h"
#include "lib/clock.h"

#define HOUR_MS INT64_C(3600000)
#define HOUR_WIDTH 4 /* a bar and the gap after it */
#define HOUR_HEIGHT 24
#define BAR_WIDTH 10
#define PLOT_HEIGHT 100

/* What the plot shows, for who does not see it, and for a pointer. */
static void
add_hours_title(struct buf *b, const int hours[PLOT_HOURS], int64_t from_ms)
{
	char total[WORDS_NUMBER_LEN], most[WORDS_NUMBER_LEN];
	struct buf since = { 0 };
	int64_t n = 0;
	int i, top = 0;

	for (i = 0; i < PLOT_HOURS; i++) {
		n += hours[i];
		if (hours[i] > hours[top])
			top = i;
	}
	if (n == 0) {
		buf_adds(b, word(W_PLOT_NONE));
		return;
	}
	words_date_time(&since, from_ms + top * HOUR_MS, false);
	words_add(b, words_form(W_PLOT_ONE, n), words_number(total, n),
	    words_number(most, hours[top]), buf_str(&since), NULL);
	buf_free(&since);
}

/* Adds 24 bars, the highest as high as the plot; each hour with an RSVP has
 * a bar that is seen. */
void
plot_hours(struct buf *b, const int hours[PLOT_HOURS], int64_t from_ms)
{
	bool any = false;
	int i, h, most = 1;

	for (i = 0; i < PLOT_HOURS; i++)
		if (hours[i] > most)
			most = hours[i];
	buf_addf(b,
	    "<svg class=\"hours\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d"
	    " %d\" role=\"img\"><title>",
	    PLOT_HOURS * HOUR_WIDTH, HOUR_HEIGHT, PLOT_HOURS * HOUR_WIDTH,
	    HOUR_HEIGHT);
	add_hours_title(b, hours, from_ms);
	buf_adds(b, "</title><path class=\"axis\" d=\"M0 23.5h96\"/>");
	for (i = 0; i < PLOT_HOURS; i++) {
		if (hours[i] == 0)
			continue;
		h = (int)((int64_t)hours[i] * (HOUR_HEIGHT - 2) / most);
		buf_addf(b, "%sM%d 23v-%dh3v%dz",
		    any ? "" : "<path class=\"bars\" d=\"", i * HOUR_WIDTH,
		    h < 2 ? 2 : h, h < 2 ? 2 : h);
		any = true;
	}
	buf_adds(b, any ? "\"/></svg>" : "</svg>");
}

/* The least 1, 2 or 5 with zeros behind that is not below n. */
static int64_t
round_up(int64_t n)
{
	static const int steps[] = { 1, 2, 5 };
	int64_t unit = 1;
	size_t i;

	for (; unit < INT64_C(1000000000000000000); unit *= 10)
		for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
			if (steps[i] * unit >= n)
				return steps[i] * unit;
	return n;
}

static void
add_bars(struct buf *b, const struct plot *plot, int64_t top, bool headcount)
{
	const struct history_point *point;
	size_t i;
	double h;

	buf_addf(b, "<path class=\"%s\" d=\"", headcount ? "people" : "bars");
	for (i = 0; i < plot->n; i++) {
		point = &plot->points[i];
		h = (double)(headcount ? point->headcount : point->rsvps) *
		    PLOT_HEIGHT / (double)top;
		if (h <= 0)
			continue;
		/* One among many is to be seen. */
		if (h < 1)
			h = 1;
		/* Thousandths, by hand: a locale could write a comma. */
		buf_addf(b, "M%zu %dv-%d.%03dh%dV%dz", i * BAR_WIDTH + 1,
		    PLOT_HEIGHT, (int)h, (int)((h - (int)h) * 1000),
		    BAR_WIDTH - 2, PLOT_HEIGHT);
	}
	buf_adds(b, "\"/>");
}

static void
add_x_axis(struct buf *b, const struct plot *plot)
{
	const size_t middle = plot->n / 2;

	buf_adds(b, "<div class=\"x\" aria-hidden=\"true\"><span>");
	words_date_short(b, plot->points[0].at_ms);
	buf_adds(b, "</span><span>");
	words_date_short(b, plot->points[middle].at_ms);
	buf_adds(b, "</span><span>");
	words_date_short(b, plot->points[plot->n - 1].at_ms);
	buf_adds(b, "</span></div>\n");
}

/* What the plot shows, in words: below it, and so its name. */
static void
add_words(struct buf *b, const struct plot *plot)
{
	const int64_t days = plot->step_ms / CLOCK_DAY_MS;
	char most[WORDS_NUMBER_LEN];
	struct buf from = { 0 }, to = { 0 };
	int64_t top = 0;
	size_t i;

	for (i = 0; i < plot->n; i++)
		if (plot->points[i].headcount > top)
			top = plot->points[i].headcount;
	words_date(&from, plot->points[0].at_ms);
	words_date(&to,
	    plot->points[plot->n - 1].at_ms + plot->step_ms - CLOCK_DAY_MS);
	words_add(b,
	    days == 1	    ? W_HISTORY_EVERY_DAY
		: days == 7 ? W_HISTORY_EVERY_WEEK
			    : W_HISTORY_EVERY_MONTH,
	    buf_str(&from), buf_str(&to), words_number(most, top), NULL);
	buf_free(&from);
	buf_free(&to);
}

/*
 * Adds a figure: bars that share the width, so that it fits every screen, and
 * the axes' words outside of the SVG, so that they are not stretched.
 */
void
plot_history(struct buf *b, const struct plot *plot)
{
	int64_t most = 1, top;
	size_t i;

	for (i = 0; i < plot->n; i++)
		if (plot->points[i].headcount > most)
			most = plot->points[i].headcount;
	top = round_up(most);
	buf_adds(b,
	    "<figure class=\"history\">\n<div class=\"y\""
	    " aria-hidden=\"true\"><span>");
	html_number(b, top);
	buf_adds(b, "</span><span>0</span></div>\n");
	buf_addf(b,
	    "<svg width=\"600\" height=\"160\" viewBox=\"0 0 %zu %d\""
	    " preserveAspectRatio=\"none\" role=\"img\""
	    " aria-labelledby=\"plot-words\">",
	    plot->n * BAR_WIDTH, PLOT_HEIGHT);
	buf_addf(b, "<path class=\"grid\" d=\"M0 0H%zuM0 50H%zuM0 100H%zu\"/>",
	    plot->n * BAR_WIDTH, plot->n * BAR_WIDTH, plot->n * BAR_WIDTH);
	add_bars(b, plot, top, true);
	add_bars(b, plot, top, false);
	buf_adds(b, "</svg>\n");
	add_x_axis(b, plot);
	buf_adds(b, "<figcaption id=\"plot-words\">");
	add_words(b, plot);
	buf_adds(b, "</figcaption>\n</figure>\n");
}
