/* An event's place among the others, in words. */
#include "config.h"

#include <string.h>

#include "fcgi/event_page.h"
#include "fcgi/html.h"
#include "fcgi/range_html.h"
#include "fcgi/words.h"
#include "lib/attr.h"
#include "lib/buf.h"
#include "lib/clock.h"

static void
add_rank(struct buf *b, const struct event_window *w)
{
	char number[WORDS_NUMBER_LEN];

	if (w->absent)
		buf_adds(b, word(W_RANK_ABSENT));
	else if (w->rank > 0)
		html_number(b, w->rank);
	else if (w->beyond > 0)
		words_add(
		    b, W_RANK_BEYOND, words_number(number, w->beyond), NULL);
	else
		buf_adds(b, word(W_RANK_UNKNOWN));
}

/* A row of the table; its window leads to that board. */
static void
add_window(struct buf *b, const struct event_window *w, const char *window)
{
	struct range range = { .kind = RANGE_ALL };
	struct buf length = { 0 };

	buf_adds(b, "<tr>\n<th scope=\"row\"><a href=\"../");
	if (window == NULL) {
		buf_addf(b, "\">%s</a></th>\n", word(W_SHORT_ALL));
	} else {
		range.kind = RANGE_SLIDING;
		range.window_ms = w->window_ms;
		strcpy(range.window, window);
		range_html_length(&length, &range);
		buf_addf(b, "?window=%s\">", window);
		words_add(b, W_LAST, buf_str(&length), NULL);
		buf_adds(b, "</a></th>\n");
	}
	buf_free(&length);
	buf_adds(b, "<td class=\"count\">");
	add_rank(b, w);
	buf_adds(b, "</td>\n<td class=\"count\">");
	if (w->rsvps > 0 || w->absent)
		html_number(b, w->rsvps);
	buf_adds(b, "</td>\n</tr>\n");
}

/* Its place on the board of all time, from its neighbours. */
static struct event_window
all_time(const struct event_page *p)
{
	const struct details_event *own = &p->event.details;
	struct event_window w = { .absent = own->rsvps == 0,
		.rsvps = own->rsvps,
		.headcount = own->headcount };
	size_t i;

	for (i = 0; i < p->nneighbours; i++) {
		if (strcmp(p->neighbours[i].event.event_id, own->event_id) != 0)
			continue;
		w.rank = p->neighbours[i].rank;
		w.beyond = RANK_BEYOND;
	}
	return w;
}

static void
add_neighbours(struct buf *b, const struct event_page *p)
{
	const struct rank_entry *entry;
	bool own;
	size_t i;

	if (p->nneighbours < 2)
		return;
	buf_addf(b,
	    "<table class=\"facts\">\n<caption>%s</caption>\n<thead>\n<tr>\n"
	    "<th scope=\"col\" class=\"count\">%s</th>\n<th scope=\"col\">%s"
	    "</th>\n<th scope=\"col\" class=\"count\">%s</th>\n</tr>\n"
	    "</thead>\n<tbody>\n",
	    word(W_NEIGHBOURS_CAPTION), word(W_RANK), word(W_EVENT),
	    word(W_RSVPS));
	for (i = 0; i < p->nneighbours; i++) {
		entry = &p->neighbours[i];
		own = strcmp(entry->event.event_id,
			  p->event.details.event_id) == 0;
		buf_addf(b, "<tr%s>\n<td class=\"count\">",
		    own ? " class=\"own\"" : "");
		html_number(b, entry->rank);
		buf_adds(b, "</td>\n<th scope=\"row\">");
		if (own)
			html_name(b, "span", entry->event.name,
			    entry->event.event_id);
		else
			html_event_link(
			    b, "../", entry->event.event_id, entry->event.name);
		if (own)
			buf_addf(b, " (%s)", word(W_THIS_EVENT));
		buf_adds(b, "</th>\n<td class=\"count\">");
		html_number(b, entry->event.rsvps);
		buf_adds(b, "</td>\n</tr>\n");
	}
	buf_adds(b, "</tbody>\n</table>\n");
}

/* Adds the section on an event's places and neighbours. */
void
event_ranks_html(struct buf *b, const struct event_page *p)
{
	static const char *const windows[EVENT_WINDOWS] = { "24h", "7d",
		"30d" };
	static const struct event_window unknown = { 0 };
	const struct event_window all = all_time(p);
	size_t i;

	buf_addf(b,
	    "<h2>%s</h2>\n<div class=\"columns\">\n<table class=\"facts\">\n"
	    "<caption>%s</caption>\n<thead>\n<tr>\n<th scope=\"col\">%s</th>\n"
	    "<th scope=\"col\" class=\"count\">%s</th>\n<th scope=\"col\""
	    " class=\"count\">%s</th>\n</tr>\n</thead>\n<tbody>\n",
	    word(W_RANKS), word(W_RANKS_CAPTION), word(W_RANGE), word(W_RANK),
	    word(W_RSVPS));
	for (i = 0; i < EVENT_WINDOWS; i++)
		add_window(
		    b, i < p->nwindows ? &p->windows[i] : &unknown, windows[i]);
	add_window(b, &all, NULL);
	buf_adds(b, "</tbody>\n</table>\n");
	add_neighbours(b, p);
	buf_adds(b, "</div>\n");
}
