/*
 * What a page says below its board; see topk_notes.h.  It tells what the
 * database knows of how sure the board is, and no more than that.
 */
#include "config.h"

#include <string.h>

#include "fcgi/html.h"
#include "fcgi/range_html.h"
#include "fcgi/topk.h"
#include "fcgi/topk_form.h"
#include "fcgi/topk_notes.h"
#include "fcgi/words.h"
#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/clock.h"

#define MORE_FIRST 100 /* the next size of a board */

static void
add_filter(struct buf *b, const char *name, const char *value)
{
	static const struct {
		const char *name;
		enum word w;
	} told[] = {
		{ "country", W_FILTER_COUNTRY },
		{ "city", W_FILTER_CITY },
		{ "group", W_FILTER_GROUP },
		{ "topic", W_FILTER_TOPIC },
	};
	static const enum word whens[] = {
		[TOPK_WHEN_UPCOMING] = W_FILTER_UPCOMING,
		[TOPK_WHEN_WEEK] = W_FILTER_WEEK,
		[TOPK_WHEN_PAST] = W_FILTER_PAST,
	};
	struct buf given = { 0 };
	size_t i;

	html_name(&given, "span", value, "");
	for (i = 0; i < NITEMS(told); i++)
		if (strcmp(name, told[i].name) == 0)
			words_add(b, told[i].w, buf_str(&given), NULL);
	if (strcmp(name, "when") == 0)
		for (i = TOPK_WHEN_UPCOMING; i < NITEMS(whens); i++)
			if (strcmp(value, topk_when_name((enum topk_when)i)) ==
			    0)
				buf_adds(b, word(whens[i]));
	buf_free(&given);
}

/* Adds which events count, each part after a comma. */
void
topk_filter_html(struct buf *b, const struct topk *t)
{
	filter_each(b, &t->query.filter, add_filter);
}

/* Is anything known of the range before?  Without it nothing moved. */
bool
topk_moves(const struct topk *t)
{
	return t->query.range.kind != RANGE_ALL &&
	    t->first_ms != DETAILS_ABSENT &&
	    t->first_ms < t->query.range.from_ms;
}

static void
add_with_time(struct buf *b, enum word w, int64_t ms)
{
	struct buf time = { 0 };

	html_time(&time, ms);
	buf_adds(b, "<p class=\"note\">");
	words_add(b, w, buf_str(&time), NULL);
	buf_adds(b, "</p>\n");
	buf_free(&time);
}

/* That a range is longer than what is known of it, at either end. */
static void
add_part(struct buf *b, const struct topk *t)
{
	const struct range *range = &t->query.range;

	if (range->kind == RANGE_ALL)
		return;
	if (t->first_ms != DETAILS_ABSENT && range->from_ms < t->first_ms)
		add_with_time(b, W_PART_BEFORE, t->first_ms);
	if (range->from_ms > t->answer.as_of_ms)
		buf_addf(b, "<p class=\"note\">%s</p>\n", word(W_PART_FUTURE));
	else if (range->to_ms > t->answer.as_of_ms)
		add_with_time(b, W_PART_RUNNING, range->to_ms);
}

/* Says why there is no board. */
void
topk_empty(struct buf *b, const struct topk *t)
{
	static const struct range all = { .kind = RANGE_ALL };
	const struct topk_query *query = &t->query;
	struct buf range = { 0 }, filter = { 0 }, link = { 0 };

	if (query->range.kind == RANGE_ALL && !filter_given(&query->filter)) {
		buf_addf(b, "<p class=\"empty\">%s</p>\n", word(W_EMPTY));
		return;
	}
	range_html(&range, &query->range);
	topk_filter_html(&filter, t);
	buf_adds(b, "<p class=\"empty\">");
	words_add(b, W_EMPTY_RANGE, buf_str(&range), buf_str(&filter), NULL);
	buf_adds(b, "</p>\n");
	if (query->range.kind != RANGE_ALL) {
		if (t->last_ms != DETAILS_ABSENT &&
		    t->last_ms < query->range.from_ms)
			add_with_time(b, W_EMPTY_HINT_LATEST, t->last_ms);
		topk_link(&link, "./", query, &all);
		buf_adds(b, "<p class=\"note\">");
		words_add(b, W_EMPTY_HINT_WIDER, buf_str(&link), NULL);
		buf_adds(b, "</p>\n");
	}
	buf_free(&range);
	buf_free(&filter);
	buf_free(&link);
}

static void
add_tie(struct buf *b, const struct topk *t)
{
	const bool people = t->query.by == TOPK_BY_HEADCOUNT;
	char number[WORDS_NUMBER_LEN];

	if (t->n == 0 || t->tied == 0)
		return;
	buf_adds(b, "<p class=\"tie\">");
	if (t->tied < 0)
		buf_adds(
		    b, word(people ? W_TIE_PEOPLE_SOME : W_TIE_RSVPS_SOME));
	else if (t->tied >= TOPK_TIED_MAX)
		words_add(b, people ? W_TIE_PEOPLE_LEAST : W_TIE_RSVPS_LEAST,
		    words_number(number, t->tied), NULL);
	else
		words_add_n(
		    b, people ? W_TIE_PEOPLE_ONE : W_TIE_RSVPS_ONE, t->tied);
	buf_adds(b, "</p>\n");
}

/* A full board may not be all. */
static void
add_more(struct buf *b, const struct topk *t)
{
	struct topk_query more = t->query;
	char number[WORDS_NUMBER_LEN];

	more.k = t->query.k < MORE_FIRST ? MORE_FIRST : TOPK_K_MAX;
	if (t->n < (size_t)t->query.k || t->query.k == TOPK_K_MAX)
		return;
	buf_adds(b, "<p class=\"links\"><a href=\"");
	topk_link(b, "./", &more, NULL);
	buf_adds(b, "\">");
	words_add(b, W_SHOW_FIRST, words_number(number, more.k), NULL);
	buf_adds(b, "</a></p>\n");
}

/* What the signs of movement mean, and whether they can be trusted. */
static void
add_moves(struct buf *b, const struct topk *t)
{
	const struct range *range = &t->query.range;
	struct buf length = { 0 };
	const int64_t before_ms = 2 * range->from_ms - range->to_ms;

	if (t->n == 0)
		return;
	if (range->kind == RANGE_ALL) {
		buf_addf(b, "<p class=\"note\">%s</p>\n", word(W_MOVES_ALL));
		return;
	}
	range_html_length(&length, range);
	buf_adds(b, "<p class=\"note\">");
	words_add(b,
	    !topk_moves(t)		  ? W_MOVES_NOTHING
		: before_ms < t->first_ms ? W_MOVES_PART
					  : W_MOVES,
	    buf_str(&length), NULL);
	buf_adds(b, "</p>\n");
	buf_free(&length);
}

static void
add_plots(struct buf *b, const struct topk *t)
{
	struct buf end = { 0 };
	char number[WORDS_NUMBER_LEN];

	if (t->n == 0)
		return;
	buf_adds(b, "<p class=\"note\">");
	if (t->query.k > TOPK_PLOTS_MAX) {
		words_add(
		    b, W_NO_PLOTS, words_number(number, TOPK_PLOTS_MAX), NULL);
	} else {
		html_time(&end, t->hours_from_ms + CLOCK_DAY_MS);
		words_add(b, W_PLOTS, buf_str(&end), NULL);
	}
	buf_adds(b, "</p>\n");
	buf_free(&end);
}

/* Adds all notes: first what is uncertain, then how it is counted. */
void
topk_notes(struct buf *b, const struct topk *t)
{
	add_more(b, t);
	add_tie(b, t);
	add_part(b, t);
	add_moves(b, t);
	add_plots(b, t);
	buf_addf(
	    b, "<p class=\"note\">%s %s</p>\n", word(W_HOW), word(W_HOW_ORDER));
	buf_adds(b, "<p class=\"links\"><a href=\"");
	topk_link(b, "api/topk", &t->query, NULL);
	buf_addf(b, "\">%s</a>, <a href=\"", word(W_LINK_JSON));
	topk_link(b, "api/topk", &t->query, NULL);
	buf_addf(b, "&amp;format=csv\">%s</a></p>\n", word(W_LINK_CSV));
}
